using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>CREATE (RFC 9051 §6.3.4), with USE (RFC 6154 §3); OK tells the new mailbox's id (RFC 8474 §4.1).</summary>
internal static class Create
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        CreateArguments arguments = command.Parse(MailboxGrammar.ParseCreate);
        ImapUser user = state.User;
        if (arguments.UnknownUse)
            return Completion.No("USEATTR", "This special use is not known");
        MailResult<NamedMailbox> resolved = await session.ResolveNewAsync(user, arguments.Mailbox);
        if (resolved.Value is not { } named)
            return resolved.Error!;
        OperationId operation = session.Cluster.NextOperation();
        MailResult<MailboxInfo> created = await session.Cluster.CallAsync(
            () => named.Viewer is { } viewer ? named.Owner.CreateAs(operation, named.Path, arguments.Use, viewer) : named.Owner.Create(operation, named.Path, arguments.Use), session.Wait);
        if (named.Viewer is null && created.Value is { } mailbox)
            await session.TellOwnAsync(n => n.OwnCreatedAsync(mailbox, session.Wait));
        if (user.Rev2 && created.Value is { } made && !made.Path.Equals(named.Path))
            SelectResponses.Name(session.Reply, user, new FoundMailbox(named, made).NameIn(user.Names), named.Name);
        return created.Error is { } error ? error : Completion.Ok($"MAILBOXID ({ObjectIds.Of(created.Value!.Id)})");
    }
}
