using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>An owner's claim as others of its process see it.</summary>
/// <param name="Since">When it was made, by this machine's clock.</param>
/// <param name="Loaded">Whether the messages are in memory; safe to ask from any thread, as is <paramref name="UnderWay"/>.</param>
/// <param name="UnderWay">Changes that were begun and not yet answered.</param>
/// <param name="Renew">Renews a front end's lease as an observer; safe on any thread.</param>
public sealed record OwnedMailbox(long Epoch, DateTimeOffset Since, Func<bool> Loaded, Func<int> UnderWay, Action<IMailboxObserver> Renew);

/// <summary>The mailboxes that owners of this process have claimed. One object a process.</summary>
public sealed class OwnedMailboxes
{
    private readonly ConcurrentDictionary<MailboxKey, (object Owner, OwnedMailbox Claim)> _owned = new();

    public bool TryGet(MailboxKey mailbox, [MaybeNullWhen(false)] out OwnedMailbox claim)
    {
        bool found = _owned.TryGetValue(mailbox, out (object, OwnedMailbox Claim) entry);
        claim = entry.Claim;
        return found;
    }

    /// <summary>A later activation takes the place of an earlier one.</summary>
    internal void Add(MailboxKey mailbox, object owner, OwnedMailbox claim) => _owned[mailbox] = (owner, claim);

    /// <summary>Only where it is still this activation's.</summary>
    internal void Remove(MailboxKey mailbox, object owner)
    {
        if (_owned.TryGetValue(mailbox, out (object Owner, OwnedMailbox) entry) && ReferenceEquals(entry.Owner, owner))
            _owned.TryRemove(KeyValuePair.Create(mailbox, entry));
    }
}
