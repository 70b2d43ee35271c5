namespace MailCluster.Contracts;

/// <summary>
/// Counts failed log-ins by client address, cluster-wide, so that one address that guesses at many accounts is slowed down. Each of <see cref="Shards"/> holds the addresses
/// that fall to it, in memory and bounded; what it forgets when its node is lost is guessed at again for free. Key: the shard's number.
/// </summary>
[Alias("MailCluster.IGuessGrain")]
public interface IGuessGrain : IGrainWithIntegerKey
{
    public const int Shards = 64;

    /// <summary>
    /// Takes a place for one attempt, which counts as a failure until <see cref="WasRight"/> is called. How long it has to wait before it is checked, or null: too many are waiting already,
    /// it is refused unchecked and does not count.
    /// </summary>
    [Alias("Take")]
    ValueTask<TimeSpan?> Take(string address);

    /// <summary>The attempt was none at guessing.</summary>
    [Alias("WasRight")]
    ValueTask WasRight(string address);
}
