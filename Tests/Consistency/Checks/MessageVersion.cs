using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>A message as it was at one modseq, from its commit to its next change.</summary>
/// <param name="committed">The first moment at which somebody was told that the mailbox had reached the modseq.</param>
/// <param name="readings">At least one.</param>
internal sealed class MessageVersion(long modSeq, Proof committed, IEnumerable<Reading<SeenMessage>> readings)
{
    private readonly Reading<SeenMessage>[] _readings = [.. readings];

    public long ModSeq => modSeq;

    public Proof Committed => committed;

    public IReadOnlyList<Reading<SeenMessage>> Readings => _readings;

    /// <summary>The first that told it.</summary>
    public Reading<SeenMessage> First { get; } = readings.MinBy(static r => r.At);

    /// <summary>As <see cref="Flagged"/>, of the sessions of one account.</summary>
    public Reading<SeenMessage> FlaggedFor(string account) => Array.Find(_readings, r => r.Told.Flags is not null && r.By.Account == account);

    /// <summary>The flags, and who told them first to whom; By is null where nobody was told.</summary>
    public Reading<SeenMessage> Flagged => Array.Find(_readings, static r => r.Told.Flags is not null);
}
