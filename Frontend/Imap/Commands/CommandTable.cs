using System.Collections.Frozen;
using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>What a command has to do with the selected mailbox.</summary>
[Flags]
public enum Effects
{
    None = 0,

    /// <summary>It reads the mailbox's state: before it runs the view is brought up to date, and everything but EXPUNGE is told.</summary>
    SyncsFirst = 1,

    /// <summary>It asks for news, or may have changed the selected mailbox: after it the view is brought up to date, before its tagged OK.</summary>
    SyncsAfter = 2,

    /// <summary>No EXPUNGE may be told while it runs: FETCH, STORE and SEARCH without UID (RFC 9051 §7.5.1), because more of them may be on their way.</summary>
    KeepsNumbers = 4,

    /// <summary>Refused in a mailbox that was opened with EXAMINE.</summary>
    Writes = 8,

    /// <summary>It names messages by their numbers, or answers with them: BAD once UIDONLY is on (RFC 9586).</summary>
    TakesNumbers = 16,

    /// <summary>What is told at its end is its own answer: told in full, also to a client that has asked by NOTIFY not to be told (RFC 5465).</summary>
    AsksForNews = 32,
}

/// <summary>One command: its name, what it does to the selected mailbox, and who does it.</summary>
/// <param name="Run">Null when the session is in another state.</param>
public sealed record CommandRow(string Name, Effects Effects, Func<ImapSession, SessionState, Command, ValueTask<Completion>?> Run);

/// <summary>Every command that the server knows.</summary>
public static class CommandTable
{
    private const Effects ReadsByNumber = Effects.SyncsFirst | Effects.KeepsNumbers | Effects.TakesNumbers;
    private const Effects WritesSelected = Effects.SyncsFirst | Effects.SyncsAfter | Effects.Writes;

    private static readonly FrozenDictionary<string, CommandRow> Rows = new[]
    {
        // Any state.
        Row<SessionState>("CAPABILITY", Effects.None, Capability.RunAsync),
        Row<SessionState>("NOOP", Effects.SyncsAfter | Effects.AsksForNews, Noop.RunAsync),
        Row<SessionState>("LOGOUT", Effects.None, Logout.RunAsync),
        Row<SessionState>("ID", Effects.None, Id.RunAsync),
        Row<SessionState>("LANGUAGE", Effects.None, SetLanguage.RunAsync),

        // Not authenticated.
        Row<NotAuthenticated>("STARTTLS", Effects.None, StartTls.RunAsync),
        Row<NotAuthenticated>("AUTHENTICATE", Effects.None, Authenticate.RunAsync),
        Row<NotAuthenticated>("LOGIN", Effects.None, Login.RunAsync),

        // Authenticated or selected.
        Row<Authenticated>("UNAUTHENTICATE", Effects.None, Unauthenticate.RunAsync),
        Row<Authenticated>("ENABLE", Effects.None, Enable.RunAsync),
        Row<Authenticated>("COMPRESS", Effects.None, Compress.RunAsync),
        Row<Authenticated>("SELECT", Effects.None, Select.RunAsync),
        Row<Authenticated>("EXAMINE", Effects.None, Examine.RunAsync),
        Row<Authenticated>("CREATE", Effects.None, Create.RunAsync),
        Row<Authenticated>("DELETE", Effects.None, Delete.RunAsync),
        Row<Authenticated>("RENAME", Effects.None, Rename.RunAsync),
        Row<Authenticated>("SUBSCRIBE", Effects.None, Subscribe.RunAsync),
        Row<Authenticated>("UNSUBSCRIBE", Effects.None, Unsubscribe.RunAsync),
        Row<Authenticated>("LIST", Effects.None, List.RunAsync),
        Row<Authenticated>("LSUB", Effects.None, Lsub.RunAsync),
        Row<Authenticated>("NAMESPACE", Effects.None, Namespace.RunAsync),
        Row<Authenticated>("STATUS", Effects.None, Status.RunAsync),
        Row<Authenticated>("GETQUOTA", Effects.None, GetQuota.RunAsync),
        Row<Authenticated>("GETQUOTAROOT", Effects.None, GetQuotaRoot.RunAsync),
        Row<Authenticated>("SETQUOTA", Effects.None, SetQuota.RunAsync),
        Row<Authenticated>("SETACL", Effects.None, SetAcl.RunAsync),
        Row<Authenticated>("DELETEACL", Effects.None, DeleteAcl.RunAsync),
        Row<Authenticated>("GETACL", Effects.None, GetAcl.RunAsync),
        Row<Authenticated>("LISTRIGHTS", Effects.None, ListRights.RunAsync),
        Row<Authenticated>("MYRIGHTS", Effects.None, MyRights.RunAsync),
        Row<Authenticated>("GETMETADATA", Effects.None, GetMetadata.RunAsync),
        Row<Authenticated>("SETMETADATA", Effects.None, SetMetadata.RunAsync),
        Row<Authenticated>("APPEND", Effects.SyncsAfter, Append.RunAsync),
        Row<Authenticated>("ESEARCH", Effects.SyncsFirst, MultiSearch.RunAsync),
        Row<Authenticated>("COMPARATOR", Effects.None, SetComparator.RunAsync),
        Row<Authenticated>("IDLE", Effects.None, Idle.RunAsync),
        Row<Authenticated>("NOTIFY", Effects.SyncsAfter | Effects.AsksForNews, Notify.RunAsync),

        // Selected.
        Row<Selected>("CHECK", Effects.SyncsAfter | Effects.AsksForNews, Noop.RunAsync),
        Row<Selected>("CLOSE", Effects.None, Close.RunAsync),
        Row<Selected>("UNSELECT", Effects.None, Unselect.RunAsync),
        Row<Selected>("EXPUNGE", WritesSelected | Effects.AsksForNews, Expunge.RunAsync),
        Row<Selected>("UID EXPUNGE", WritesSelected | Effects.AsksForNews, Expunge.RunAsync),
        Row<Selected>("FETCH", ReadsByNumber, Fetch.RunAsync),
        Row<Selected>("UID FETCH", Effects.SyncsFirst, Fetch.RunAsync),
        Row<Selected>("SEARCH", ReadsByNumber, Search.RunAsync),
        Row<Selected>("UID SEARCH", Effects.SyncsFirst, Search.RunAsync),
        Row<Selected>("CANCELUPDATE", Effects.None, CancelUpdate.RunAsync),
        Row<Selected>("UIDBATCHES", Effects.SyncsFirst, UidBatches.RunAsync),
        Row<Selected>("SORT", ReadsByNumber, Sort.RunAsync),
        Row<Selected>("UID SORT", Effects.SyncsFirst, Sort.RunAsync),
        Row<Selected>("THREAD", ReadsByNumber, Thread.RunAsync),
        Row<Selected>("UID THREAD", Effects.SyncsFirst, Thread.RunAsync),
        Row<Selected>("STORE", WritesSelected | Effects.KeepsNumbers | Effects.TakesNumbers, Store.RunAsync),
        Row<Selected>("UID STORE", WritesSelected, Store.RunAsync),
        Row<Selected>("REPLACE", WritesSelected | Effects.AsksForNews | Effects.TakesNumbers, Replace.RunAsync),
        Row<Selected>("UID REPLACE", WritesSelected | Effects.AsksForNews, Replace.RunAsync),
        Row<Selected>("COPY", Effects.SyncsFirst | Effects.SyncsAfter | Effects.TakesNumbers, Copy.RunAsync),
        Row<Selected>("UID COPY", Effects.SyncsFirst | Effects.SyncsAfter, Copy.RunAsync),
        Row<Selected>("MOVE", WritesSelected | Effects.AsksForNews | Effects.TakesNumbers, Move.RunAsync),
        Row<Selected>("UID MOVE", WritesSelected | Effects.AsksForNews, Move.RunAsync),
    }.ToFrozenDictionary(static row => row.Name);

    /// <summary>The row of a command by its name in capitals, "UID STORE" for those with UID; null for an unknown one.</summary>
    public static CommandRow? Find(string name) => Rows.GetValueOrDefault(name);

    internal static CommandRow Row<TState>(string name, Effects effects, Func<ImapSession, TState, Command, ValueTask<Completion>> run)
        where TState : SessionState =>
        new(name, effects, (session, state, command) => state is TState right ? run(session, right, command) : null);
}
