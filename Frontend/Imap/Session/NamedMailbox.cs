using MailCluster.Contracts;

namespace MailCluster.Imap.Session;

/// <summary>A name as it was understood: whose mailbox it would be, and how that is called there.</summary>
/// <param name="Name">As on the wire, in Unicode.</param>
/// <param name="Owner">The account's owner.</param>
/// <param name="Viewer">The user, where the account is another's; null where it is his own.</param>
public sealed record NamedMailbox(AccountId Account, MailboxPath Path, string Name, IAccountGrain Owner, AccountId? Viewer);

/// <summary>A mailbox that a name leads to.</summary>
public sealed record FoundMailbox(NamedMailbox Named, MailboxInfo Info)
{
    public MailboxKey Key => new(Named.Account, Info.Id);

    /// <summary>Its name on the wire: another than that which led to it where that is not composed (RFC 9051 §5.1).</summary>
    public string NameIn(MailboxNames names) => Info.Path.Equals(Named.Path)
        ? Named.Name : Named.Name[..^Named.Path.ToString(names.Delimiter).Length] + Info.Path.ToString(names.Delimiter);
}
