using System.Collections.Concurrent;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Client;

/// <summary>
/// Which mailbox it is, for all clients: by MAILBOXID where the server gives one, and by UIDVALIDITY, which no two mailboxes of an account share here (RFC 9051 §2.3.1.1
/// lets servers do otherwise; those that we know count it per account).
/// </summary>
internal sealed class MailboxRegistry
{
    private readonly ConcurrentDictionary<(string Account, uint UidValidity), MailboxRef> _byUidValidity = [];
    private readonly ConcurrentDictionary<(string Account, string Name), MailboxRef> _byName = [];

    private readonly ConcurrentDictionary<MailboxRef, bool> _replaced = [];

    /// <param name="mailboxId">Null where the server has none.</param>
    /// <remarks>A mailbox of another account, which that shares, is that account's.</remarks>
    public MailboxRef Learn(string account, string name, uint uidValidity, string? mailboxId)
    {
        account = SharedNames.OwnerOf(account, name);
        MailboxRef mailbox = mailboxId is not null
            ? _byUidValidity[(account, uidValidity)] = new MailboxRef(account, mailboxId)
            : _byUidValidity.GetOrAdd((account, uidValidity), new MailboxRef(account, $"{name}#{uidValidity}"));
        _byName[(account, name)] = mailbox;
        return mailbox;
    }

    /// <summary>Null: nobody was told of this UIDVALIDITY.</summary>
    public MailboxRef? Of(string account, string name, uint uidValidity) => _byUidValidity.TryGetValue((SharedNames.OwnerOf(account, name), uidValidity), out MailboxRef mailbox) ? mailbox : null;

    /// <summary>The one that had the name when it was last told; another may have it by now.</summary>
    public MailboxRef? LastNamed(string account, string name) => _byName.TryGetValue((account, name), out MailboxRef mailbox) ? mailbox : null;

    /// <summary>It is about to be deleted or renamed: the server may end the sessions that have it selected.</summary>
    public void Replace(MailboxRef mailbox) => _replaced[mailbox] = true;

    public bool IsReplaced(MailboxRef mailbox) => _replaced.ContainsKey(mailbox);
}
