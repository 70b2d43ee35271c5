using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>SETMETADATA (RFC 5464 §4.3): all entries or none.</summary>
internal static class SetMetadata
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        SetMetadataArguments arguments = command.Parse(MetadataGrammar.ParseSet);
        ImapUser user = state.User;
        if (arguments.Entries.Any(static e => e.Value?.Length > MetadataLimits.MaxValue))
            return Completion.No($"METADATA MAXSIZE {MetadataLimits.MaxValue}", "The value is too large");
        if (arguments.Mailbox.Name.Length == 0 && arguments.Entries.FirstOrDefault(Filters.IsWrong) is { } filter)
            return Completion.No("CANNOT", $"{filter.Entry} is no search");
        MailboxPath? path = null;
        if (arguments.Mailbox.Name.Length > 0 && (path = user.Names.Find(arguments.Mailbox)) is null)
            return new MailError(MailErrorCode.NonExistent, "There is no mailbox of that name");
        var request = new SetMetadataRequest(path, user.Settings.Account, arguments.Entries);
        MailResult<Done> set = await session.Cluster.CallAsync(() => user.Account.SetMetadata(request), session.Wait);
        if (set.IsOk)
            await session.TellOwnAsync(n => n.OwnAnnotatedAsync(path, arguments.Entries, session.Wait));
        return set.Error is { } error ? error : Completion.Done;
    }
}
