using MailCluster.Cluster;
using MailCluster.Contracts;

namespace MailCluster.Mta.Socketmap;

/// <summary>The maps, and what a mail server uses each for.</summary>
internal sealed class AddressMaps(MailClusterClient cluster)
{
    private const string NotFound = "NOTFOUND ";

    /// <summary>The answer to a look-up: "OK value", "NOTFOUND ", "TEMP reason", "PERM reason".</summary>
    public async ValueTask<string> FindAsync(string map, string key, CancellationToken cancellationToken)
    {
        MailResult<string?> found;
        switch (map)
        {
            // relay_domains: whether a domain is ours.
            case "domains":
                MailResult<bool> ours = await cluster.AskAsync(() => cluster.Directory.HasDomain(key), cancellationToken);
                found = ours.Error is { } error ? error : ours.Value ? key : (string?)null;
                break;
            // relay_recipient_maps: whether somebody gets the mail to an address.
            case "recipients":
                found = await RecipientsAsync(key, static (_, key) => key, cancellationToken);
                break;
            // smtpd_sender_login_maps: who may send with an address, as log-in names.
            case "senders":
                found = await RecipientsAsync(key, static (recipients, _) => string.Join(',', recipients.Select(static r => r.Account.User).Distinct()), cancellationToken);
                break;
            // virtual_alias_maps: where an alias leads, targets elsewhere included.
            case "aliases":
                MailResult<IReadOnlyList<string>> targets = await cluster.AskAsync(() => cluster.Directory.FindAlias(key), cancellationToken);
                found = targets.Error is { } failed ? failed : targets.Value!.Count > 0 ? string.Join(',', targets.Value) : (string?)null;
                break;
            default:
                return "PERM There is no such map";
        }
        return found.Error is not null ? "TEMP The mail store can't be reached" : found.Value is { } value ? "OK " + value : NotFound;
    }

    private async ValueTask<MailResult<string?>> RecipientsAsync(string address, Func<IReadOnlyList<Recipient>, string, string> value, CancellationToken cancellationToken)
    {
        // Postfix asks for "@domain" and for local parts alone, too: nobody has such an address.
        if (address.IndexOf('@') <= 0)
            return (string?)null;
        MailResult<IReadOnlyList<Recipient>> found = await cluster.AskAsync(() => cluster.Directory.FindRecipients(address), cancellationToken);
        return found.Error is { } error ? error : found.Value!.Count > 0 ? value(found.Value, address) : (string?)null;
    }
}
