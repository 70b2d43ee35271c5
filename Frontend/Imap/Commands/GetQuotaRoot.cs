using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>GETQUOTAROOT (RFC 9208 §4.1.2): the roots of a mailbox, which need not exist.</summary>
internal static class GetQuotaRoot
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        MailboxArgument name = command.Parse(MailboxGrammar.ParseName);
        ImapUser user = state.User;
        if (user.Names.Find(name) is not { } path)
            return Completion.No("NONEXISTENT", "No mailbox can have that name");
        MailResult<AccountQuota> quota = await GetQuota.AskAsync(session, user, user.Settings.Account);
        if (quota.Error is { } error)
            return error;
        QuotaResponse.WriteRoot(session.Reply, user.Names.NameOf(path), quota.Value!);
        QuotaResponse.Write(session.Reply, quota.Value!.Account);
        if (quota.Value.Tenant is { } tenant)
            QuotaResponse.Write(session.Reply, tenant);
        QuotaResponse.WriteExceeded(session, quota.Value);
        return Completion.Done;
    }
}
