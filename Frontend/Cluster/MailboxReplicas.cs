using System.Diagnostics.CodeAnalysis;
using MailCluster.Contracts;
using Microsoft.Extensions.Logging;

namespace MailCluster.Cluster;

/// <summary>
/// The copies of mailboxes that sessions of this process have open: one a mailbox, whatever the number of its sessions,
/// and one observer object for all of them.
/// </summary>
public sealed partial class MailboxReplicas : IDisposable
{
    /// <summary>New owners are not asked by all at once.</summary>
    public static readonly TimeSpan AskSpread = TimeSpan.FromMilliseconds(500);

    private static readonly TimeSpan RenewalTick = TimeSpan.FromSeconds(1);

    /// <summary>Mailboxes of one call to a desk: some 100 KB.</summary>
    private const int MostAtDesk = 4000;

    private readonly Dictionary<MailboxKey, MailboxReplica> _open = [];
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ITimer _renewal;

    // Owners and Orleans hold observers weakly: without this field pushes would stop at the next collection.
    private readonly Observer _observer;
    private IMailboxObserver? _reference;

    internal MailboxReplicas(MailClusterClient cluster, ILocalMailboxes local, ILogger log)
    {
        Cluster = cluster;
        Local = local;
        Log = log;
        _observer = new Observer(this);
        local.Published += OnPublished;
        local.Ended += OnEnded;
        _renewal = cluster.Time.CreateTimer(static self => ((MailboxReplicas)self!).RenewDue(), this, RenewalTick, RenewalTick);
    }

    internal MailClusterClient Cluster { get; }

    internal ILocalMailboxes Local { get; }

    internal ILogger Log { get; }

    internal CancellationToken Stopped => _stop.Token;

    /// <summary>The number of mailboxes that are open.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
                return _open.Count;
        }
    }

    /// <summary>Opens a mailbox for one session, which disposes of it when it closes the mailbox. Costs nothing: nothing is loaded before the first sync.</summary>
    /// <param name="epoch">The owner's claim under which the client was told <paramref name="uidValidity"/>.</param>
    /// <param name="uidValidity">A later claim that finds another ends the session's hold on the mailbox. 0: nothing was told.</param>
    /// <param name="viewer">The account that opens it, where it is not the mailbox's: it sees its own \Seen.</param>
    /// <param name="foreign">That account is of another tenant.</param>
    public OpenMailbox Open(MailboxKey mailbox, long epoch = 0, uint uidValidity = 0, AccountId? viewer = null, bool foreign = false)
    {
        lock (_gate)
        {
            if (!_open.TryGetValue(mailbox, out MailboxReplica? replica))
                _open.Add(mailbox, replica = new MailboxReplica(this, mailbox));
            replica.Holders++;
            return new OpenMailbox(replica, epoch, uidValidity, viewer, foreign);
        }
    }

    /// <summary>
    /// The mailbox of a name with everything that was committed before this call, where its owner is in this process and has it in memory; false: ask the account's owner.
    /// </summary>
    public bool TryFind(AccountId account, MailboxPath path, out MailboxKey mailbox, [MaybeNullWhen(false)] out MailboxSnapshot snapshot) =>
        // A version of an epoch below one that is known here comes from an owner that lost its claim.
        Local.TryFind(account, path, out mailbox, out snapshot) && !(Find(mailbox)?.Current?.Epoch > snapshot.Epoch);

    /// <summary>
    /// Owners were lost with their node, and their pushes with them. Which mailboxes they had is not known here: each that sessions wait at asks its
    /// owner, the new one where the old is gone, at a moment of its own within <see cref="AskSpread"/>.
    /// </summary>
    public void OwnersWereLost()
    {
        MailboxReplica[] open;
        lock (_gate)
            open = [.. _open.Values];
        foreach (MailboxReplica replica in open)
            _ = AskSoonAsync(replica);
    }

    private async Task AskSoonAsync(MailboxReplica replica)
    {
        await Task.Delay(AskSpread * Random.Shared.NextDouble(), Cluster.Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_stop.IsCancellationRequested)
            replica.AskForWaiting();
    }

    internal void Release(MailboxReplica replica)
    {
        lock (_gate)
        {
            if (--replica.Holders == 0)
                Forget(replica);
        }
    }

    /// <summary>The mailbox ended: who opens it from now on starts anew.</summary>
    internal void Retire(MailboxReplica replica)
    {
        lock (_gate)
            Forget(replica);
    }

    /// <summary>Made at first use: while the process starts there is no cluster to make it in.</summary>
    internal IMailboxObserver Reference
    {
        get
        {
            lock (_gate)
                return _reference ??= Cluster.Grains.CreateObjectReference<IMailboxObserver>(_observer);
        }
    }

    private void Forget(MailboxReplica replica)
    {
        if (_open.TryGetValue(replica.Key, out MailboxReplica? known) && ReferenceEquals(known, replica))
            _open.Remove(replica.Key);
    }

    private MailboxReplica? Find(MailboxKey mailbox)
    {
        lock (_gate)
            return _open.GetValueOrDefault(mailbox);
    }

    private void OnPublished(MailboxKey mailbox, MailboxSnapshot snapshot) => Find(mailbox)?.Adopt(snapshot);

    private void OnEnded(MailboxKey mailbox, MailboxEnd reason) => Find(mailbox)?.OnEnded(reason);

    private void RenewDue()
    {
        MailboxReplica[] open;
        lock (_gate)
            open = [.. _open.Values];
        Dictionary<string, List<MailboxReplica>>? desks = null;
        foreach (MailboxReplica replica in open)
        {
            if (replica.RenewIfDue() is not { } silo)
                continue;
            desks ??= [];
            if (!desks.TryGetValue(silo, out List<MailboxReplica>? due))
                desks.Add(silo, due = []);
            due.Add(replica);
        }
        foreach ((string silo, List<MailboxReplica> due) in desks ?? [])
        {
            foreach (MailboxReplica[] together in due.Chunk(MostAtDesk))
                _ = RenewAsync(silo, together);
        }
    }

    internal void RenewAtDesk(string silo, MailboxReplica due) => _ = RenewAsync(silo, [due]);

    /// <summary>One call renews the leases of many mailboxes at one silo; those of which it knows nothing, or something new, are asked.</summary>
    private async Task RenewAsync(string silo, MailboxReplica[] due)
    {
        var asks = new HashSet<int>();
        try
        {
            HeldVersion[] held = [.. due.Select(static r => r.Held)];
            asks.UnionWith(await Cluster.Grains.GetGrain<ILeaseDesk>(silo).Renew(Reference, held).ConfigureAwait(false));
        }
        catch (Exception e)
        {
            LogNotRenewed(Log, silo, e.GetType().Name, e.Message);
            asks.UnionWith(Enumerable.Range(0, due.Length));
        }
        for (int i = 0; i < due.Length; i++)
            due[i].RenewedAtDesk(!asks.Contains(i));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Leases were not renewed at the desk of silo {Silo}: {Error} {Text}; the owners are asked")]
    private static partial void LogNotRenewed(ILogger log, string silo, string error, string text);

    public void Dispose()
    {
        Local.Published -= OnPublished;
        Local.Ended -= OnEnded;
        _renewal.Dispose();
        _stop.Cancel();
    }

    private sealed class Observer(MailboxReplicas replicas) : IMailboxObserver
    {
        public Task Changed(MailboxKey mailbox, MailboxDelta delta)
        {
            replicas.Find(mailbox)?.Push(delta);
            return Task.CompletedTask;
        }

        public Task Ended(MailboxKey mailbox, MailboxEnd reason)
        {
            replicas.OnEnded(mailbox, reason);
            return Task.CompletedTask;
        }
    }
}
