using MailCluster.Contracts;

namespace MailCluster.Cluster;

/// <summary>Whom an address leads to, and whether they take mail.</summary>
public sealed class RecipientResolver(MailClusterClient cluster)
{
    /// <summary>
    /// The accounts, at least one, or: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.DeliveryDeferred"/> (one of them wants to be tried later:
    /// all are), <see cref="MailErrorCode.DeliveryRefused"/> (all refuse; an alias is delivered to those that do not), <see cref="MailErrorCode.Unavailable"/>.
    /// </summary>
    public async ValueTask<MailResult<IReadOnlyList<(AccountSettings Settings, string? Detail)>>> ResolveAsync(string address, CancellationToken cancellationToken)
    {
        MailResult<IReadOnlyList<Recipient>> found = await cluster.AskAsync(() => cluster.Directory.FindRecipients(address), cancellationToken).ConfigureAwait(false);
        if (found.Error is { } unreachable)
            return unreachable;
        var accounts = new List<(AccountSettings, string?)>(found.Value!.Count);
        MailError? refused = null;
        foreach (Recipient recipient in found.Value)
        {
            MailResult<AccountSettings> settings = await SettingsAsync(recipient.Account.Account, cancellationToken).ConfigureAwait(false);
            if (settings.Error is { } error)
            {
                // The directory's answer may be some seconds old: an account that is gone is nobody.
                if (error.Code == MailErrorCode.NonExistent)
                    continue;
                return error;
            }
            switch (settings.Value!.Delivery)
            {
                case DeliveryState.Deferred:
                    return new MailError(MailErrorCode.DeliveryDeferred, "The account takes no mail now.");
                case DeliveryState.Refused:
                    refused = new MailError(MailErrorCode.DeliveryRefused, "The account takes no mail.");
                    break;
                default:
                    accounts.Add((settings.Value, recipient.Detail));
                    break;
            }
        }
        return accounts.Count > 0 ? accounts : refused ?? new MailError(MailErrorCode.NonExistent, "No such user.");
    }

    private async ValueTask<MailResult<AccountSettings>> SettingsAsync(AccountId account, CancellationToken cancellationToken)
    {
        if (cluster.LocalAccounts?.TrySettings(account) is { } known)
            return known;
        IAccountGrain owner = cluster.Account(account);
        return await cluster.CallAsync(() => owner.Settings(), cancellationToken).ConfigureAwait(false);
    }
}
