namespace MailCluster.Contracts;

/// <summary>
/// Where a front-end process renews its leases at all mailbox owners of a silo with one call, instead of one a mailbox. Key: the silo's address as <see cref="SyncReply.Silo"/> tells it.
/// </summary>
[Alias("MailCluster.ILeaseDesk")]
public interface ILeaseDesk : IGrainWithStringKey
{
    /// <summary>
    /// Renews the caller's leases as an observer, for <see cref="MailboxLimits.ObserverLease"/>. Returns the places in <paramref name="held"/> of those that need a
    /// <see cref="IMailboxGrain.Sync"/>: their owner is not on this silo any more, has another version, or the silo may not answer from memory now. Of all others the version that
    /// the caller holds was the owner's newest when the lease was renewed: what comes after it is pushed.
    /// </summary>
    [Alias("Renew")]
    ValueTask<IReadOnlyList<int>> Renew(IMailboxObserver observer, IReadOnlyList<HeldVersion> held);

    /// <summary>
    /// Another silo has claimed the mailbox: when this returns, nothing is read here any more that an owner under <paramref name="epoch"/> or an older one has published, and who waits for news asks the new owner.
    /// Does nothing at the desk of a silo that is gone.
    /// </summary>
    [Alias("Withdraw")]
    ValueTask Withdraw(MailboxKey mailbox, long epoch);
}

/// <summary>The version of a mailbox that a front-end process has.</summary>
[GenerateSerializer, Immutable, Alias("HeldVersion")]
public readonly record struct HeldVersion([property: Id(0)] MailboxKey Mailbox, [property: Id(1)] long Epoch, [property: Id(2)] long ModSeq);
