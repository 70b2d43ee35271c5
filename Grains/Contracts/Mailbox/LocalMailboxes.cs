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

    // What owners say of their names; the other way round it only tells where to look.
    private readonly ConcurrentDictionary<MailboxKey, (long Epoch, MailboxPath Path)> _names = new();
    private readonly ConcurrentDictionary<(AccountId, MailboxPath), MailboxKey> _named = new();

    private readonly ConcurrentDictionary<MailboxKey, (long Epoch, ILocalOwner Owner)> _owners = new();

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

    public bool TryFind(AccountId account, MailboxPath path, out MailboxKey mailbox, [MaybeNullWhen(false)] out MailboxSnapshot snapshot)
    {
        if (_named.TryGetValue((account, path), out mailbox) && _published.TryGetValue(mailbox, out snapshot)
            && _names.TryGetValue(mailbox, out (long Epoch, MailboxPath Path) name) && name.Epoch == snapshot.Epoch && name.Path.Equals(path) && MayRead)
            return true;
        snapshot = null;
        return false;
    }

    public bool MayOwn(MailboxKey mailbox) => _names.ContainsKey(mailbox);

    public ILocalOwner? OwnerOf(MailboxKey mailbox) => _owners.TryGetValue(mailbox, out (long, ILocalOwner Owner) lent) ? lent.Owner : null;

    public void Lend(MailboxKey mailbox, long epoch, ILocalOwner owner) => _owners.AddOrUpdate(mailbox, (epoch, owner), (_, old) => epoch > old.Epoch ? (epoch, owner) : old);

    public void Name(MailboxKey mailbox, long epoch, MailboxPath path)
    {
        if (_names.TryGetValue(mailbox, out (long, MailboxPath Path) before) && !before.Path.Equals(path))
            _named.TryRemove(KeyValuePair.Create((mailbox.Account, before.Path), mailbox));
        _names.AddOrUpdate(mailbox, (epoch, path), (_, old) => epoch > old.Epoch ? (epoch, path) : old);
        _named[(mailbox.Account, path)] = mailbox;
    }

    public void Unname(MailboxKey mailbox)
    {
        if (_names.TryRemove(mailbox, out (long, MailboxPath Path) name))
            _named.TryRemove(KeyValuePair.Create((mailbox.Account, name.Path), mailbox));
    }

    public void Publish(MailboxKey mailbox, MailboxSnapshot snapshot)
    {
        _published.AddOrUpdate(mailbox, snapshot, (_, old) => IsNewer(snapshot, old) ? snapshot : old);
        Published?.Invoke(mailbox, snapshot);
    }

    public void Withdraw(MailboxKey mailbox, long epoch)
    {
        if (_names.TryGetValue(mailbox, out (long Epoch, MailboxPath) name) && name.Epoch <= epoch)
            Unname(mailbox);
        if (_owners.TryGetValue(mailbox, out (long Epoch, ILocalOwner) lent) && lent.Epoch <= epoch)
            _owners.TryRemove(KeyValuePair.Create(mailbox, lent));
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
