using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>SETQUOTA (RFC 9208 §4.1.3), for accounts that manage their tenant's; QUOTASET is told to them only. What is not named is not limited any more.</summary>
internal static class SetQuota
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        SetQuotaArguments arguments = command.Parse(QuotaGrammar.ParseSet);
        ImapUser user = state.User;
        if (!user.Settings.Manages || arguments.Root == QuotaRoot.Tenant)
            return Completion.No("NOPERM", "This quota is not yours to set");
        var limits = new QuotaLimits(null, null);
        foreach ((string resource, long limit) in arguments.Limits)
        {
            switch (resource)
            {
                case "STORAGE":
                    limits = limits with { Bytes = Octets(limit) };
                    break;
                case "MESSAGE":
                    limits = limits with { Messages = limit };
                    break;
                case "MAILBOX":
                    limits = limits with { Mailboxes = limit };
                    break;
                case "ANNOTATION-STORAGE":
                    limits = limits with { AnnotationBytes = Octets(limit) };
                    break;
                default:
                    return Completion.No("CANNOT", "This resource can't be limited");
            }
        }
        MailResult<AccountId> account = await GetQuota.AccountOfAsync(session, user, arguments.Root);
        if (account.Error is { } unknown)
            return unknown;
        IAccountGrain owner = session.Cluster.Account(account.Value);
        MailResult<AccountQuota> set = await session.Cluster.CallAsync(() => owner.SetQuota(user.Settings.Account, limits), session.Wait);
        if (set.Error is { } error)
            return error;
        QuotaResponse.Write(session.Reply, set.Value!.Account);
        if (account.Value == user.Settings.Account)
            QuotaResponse.WriteExceeded(session, set.Value);
        return Completion.Done;
    }

    private static long Octets(long units) => units > long.MaxValue / QuotaResponse.Unit ? long.MaxValue : units * QuotaResponse.Unit;
}
