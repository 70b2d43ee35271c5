using MailCluster.Cluster;
using MailCluster.Contracts;

namespace MailCluster.Mta.Policy;

/// <summary>What becomes of mail to a recipient, before it is taken.</summary>
internal sealed class RecipientPolicy(MailClusterClient cluster)
{
    /// <summary>Another restriction, or the delivery, decides.</summary>
    public const string Dunno = "DUNNO";

    private const string Later = "DEFER_IF_PERMIT 4.3.0 The mail store can't be reached, try again later";

    private readonly RecipientResolver _resolver = new(cluster);

    /// <summary>The action of an access table (access(5)), with the reply that the delivery would give.</summary>
    public async ValueTask<string> DecideAsync(PolicyRequest request, CancellationToken cancellationToken)
    {
        if (request.Kind != "smtpd_access_policy" || request.State != "RCPT" || !request.Recipient.Contains('@'))
            return Dunno;
        string address = request.Recipient;
        MailResult<IReadOnlyList<(AccountSettings Settings, string? Detail)>> found = await _resolver.ResolveAsync(address, cancellationToken);
        if (found.Error is { } error)
            return error.Code == MailErrorCode.NonExistent ? await UnknownAsync(address, cancellationToken) : Refusal(error.Code);
        foreach ((AccountSettings settings, _) in found.Value!)
        {
            IAccountGrain owner = cluster.Account(settings.Account);
            MailResult<AccountQuota> quota = await cluster.CallAsync(() => owner.Quota(settings.Account), cancellationToken);
            if (quota.Error is not null)
                return Later;
            // One refusal of an alias' accounts is what the delivery would tell.
            if (!HasRoom(quota.Value!.Account, request.Size) || (quota.Value.Tenant is { } tenant && !HasRoom(tenant, request.Size)))
                return Refusal(MailErrorCode.OverQuota);
        }
        return Dunno;
    }

    /// <summary>Whether one more message fits. Its size is what the client says, and need not say: the commit has the last word.</summary>
    private static bool HasRoom(QuotaRoot root, long size) =>
        !(root.Used.Messages + 1 > root.Limits.Messages) && !(root.Used.Bytes + Math.Max(1, size) > root.Limits.Bytes);

    /// <summary>Nobody: refused in a domain of ours; elsewhere it is nothing that is known here.</summary>
    private async ValueTask<string> UnknownAsync(string address, CancellationToken cancellationToken)
    {
        string domain = address[(address.LastIndexOf('@') + 1)..];
        MailResult<bool> ours = await cluster.AskAsync(() => cluster.Directory.HasDomain(domain), cancellationToken);
        return ours.Error is not null ? Later : ours.Value ? Refusal(MailErrorCode.NonExistent) : Dunno;
    }

    /// <summary>As the delivery has it; Postfix puts the address before the text.</summary>
    private static string Refusal(MailErrorCode code) => code switch
    {
        MailErrorCode.NonExistent => "550 5.1.1 No such user here",
        MailErrorCode.OverQuota => "552 5.2.2 The mailbox is full",
        MailErrorCode.DeliveryRefused => "550 5.2.1 The mailbox takes no mail",
        MailErrorCode.DeliveryDeferred => "450 4.2.1 The mailbox takes no mail now, try again later",
        _ => Later,
    };
}
