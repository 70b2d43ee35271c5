using System.Text;
using MailCluster.Contracts;

namespace MailCluster.Cluster;

/// <summary>Whom an address leads to, and whether they take mail.</summary>
/// <remarks>
/// What an account is called itself is not looked up each time: its owner, who is asked anyway for what it takes, knows what it is called now, and a name that is an account's is nothing else.
/// </remarks>
public sealed class RecipientResolver(MailClusterClient cluster)
{
    private static readonly MailError _deferred = new(MailErrorCode.DeliveryDeferred, "The account takes no mail now.");
    private static readonly MailError _refused = new(MailErrorCode.DeliveryRefused, "The account takes no mail.");

    /// <summary>
    /// The accounts, at least one, or: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.DeliveryDeferred"/> (one of them wants to be tried later:
    /// all are), <see cref="MailErrorCode.DeliveryRefused"/> (all refuse; an alias is delivered to those that do not), <see cref="MailErrorCode.Unavailable"/>.
    /// </summary>
    public async ValueTask<MailResult<IReadOnlyList<(AccountSettings Settings, string? Detail)>>> ResolveAsync(string address, CancellationToken cancellationToken)
    {
        if (cluster.Recipients.Find(address) is { } remembered)
        {
            MailResult<AccountSettings> known = await SettingsAsync(remembered.Account, cancellationToken).ConfigureAwait(false);
            if (known.Error is { Code: not MailErrorCode.NonExistent } away)
                return away;
            if (known.Value is { } account && account.User == remembered.User)
                return Answer(account);
            // The name may be another account's by now, or an alias'.
            cluster.Recipients.Remove(address);
        }
        MailResult<IReadOnlyList<Recipient>> found = await cluster.AskAsync(() => cluster.Directory.FindRecipients(address), cancellationToken).ConfigureAwait(false);
        if (found.Error is { } unreachable)
            return unreachable;
        if (found.Value is [{ Detail: null } only] && Ascii.EqualsIgnoreCase(address, only.Account.User))
            cluster.Recipients.Add(address, only.Account);
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
                    return _deferred;
                case DeliveryState.Refused:
                    refused = _refused;
                    break;
                default:
                    accounts.Add((settings.Value, recipient.Detail));
                    break;
            }
        }
        return accounts.Count > 0 ? accounts : refused ?? new MailError(MailErrorCode.NonExistent, "No such user.");
    }

    private static MailResult<IReadOnlyList<(AccountSettings Settings, string? Detail)>> Answer(AccountSettings account) => account.Delivery switch
    {
        DeliveryState.Deferred => _deferred,
        DeliveryState.Refused => _refused,
        _ => new MailResult<IReadOnlyList<(AccountSettings Settings, string? Detail)>>([(account, null)], null),
    };

    private async ValueTask<MailResult<AccountSettings>> SettingsAsync(AccountId account, CancellationToken cancellationToken)
    {
        if (cluster.LocalAccounts?.TrySettings(account) is { } known)
            return known;
        IAccountGrain owner = cluster.Account(account);
        return await cluster.CallAsync(() => owner.Settings(), cancellationToken).ConfigureAwait(false);
    }
}
