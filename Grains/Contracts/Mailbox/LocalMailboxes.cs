using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;

namespace MailCluster.Contracts;

/// <summary>The published versions of this process in a dictionary.</summary>
/// <param name="mayRead">
/// False while this process can't be sure that it is still a member of the cluster: nothing is then answered from memory. Asked at every read; null for always.
/// A process without owners publishes nothing and needs none.
/// </param>
public sealed class LocalMailboxes(Func<bool>? mayRead = null) : ILocalMailboxes
{
    private readonly ConcurrentDictionary<MailboxKey, MailboxSnapshot> _published = new();

    public event Action<MailboxKey, MailboxSnapshot>? Published;

    public event Action<MailboxKey, MailboxEnd>? Ended;

    public IEnumerable<KeyValuePair<MailboxKey, MailboxSnapshot>> All => _published;

    public bool MayRead => mayRead?.Invoke() != false;

    public bool TryGet(MailboxKey mailbox, [MaybeNullWhen(false)] out MailboxSnapshot snapshot)
    {
        // The version is read first: a permission that was good before the read says nothing about a version read later.
        if (_published.TryGetValue(mailbox, out snapshot) && MayRead)
            return true;
        snapshot = null;
        return false;
    }

    public void Publish(MailboxKey mailbox, MailboxSnapshot snapshot)
    {
        _published.AddOrUpdate(mailbox, snapshot, (_, old) => IsNewer(snapshot, old) ? snapshot : old);
        Published?.Invoke(mailbox, snapshot);
    }

    public void Withdraw(MailboxKey mailbox, long epoch)
    {
        while (_published.TryGetValue(mailbox, out MailboxSnapshot? old) && old.Epoch <= epoch
            && !_published.TryRemove(KeyValuePair.Create(mailbox, old)))
        {
            // Another version was published in between: look again.
        }
    }

    public void End(MailboxKey mailbox, MailboxEnd reason) => Ended?.Invoke(mailbox, reason);

    private static bool IsNewer(MailboxSnapshot a, MailboxSnapshot b) =>
        a.Epoch != b.Epoch ? a.Epoch > b.Epoch : a.ModSeq > b.ModSeq;
}
