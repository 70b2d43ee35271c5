using MailCluster.Consistency.History;
using MailCluster.Consistency.Workload;

namespace MailCluster.Consistency.Faults;

/// <summary>What commands took since a moment.</summary>
/// <param name="Unavailable">Answers NO [UNAVAILABLE].</param>
internal sealed record Delays(int Commands, TimeSpan P50, TimeSpan P99, TimeSpan Longest, int Unavailable)
{
    public override string ToString() => $"p50 {P50.TotalMilliseconds:F0} ms, p99 {Seconds(P99)}, longest {Seconds(Longest)}, {Unavailable} UNAVAILABLE";

    private static string Seconds(TimeSpan time) => $"{time.TotalSeconds:F1} s";
}

/// <summary>A connection that the server ended.</summary>
/// <param name="FrontEnd">"address:port".</param>
/// <param name="Bye">Whether it said so.</param>
/// <param name="By">The command under way, or the first that found it so.</param>
internal sealed record Ended(int Session, string FrontEnd, bool Bye, string Why, Operation By);

/// <summary>The clients that work while faults happen, as faults see them. Times are ticks of <see cref="System.Diagnostics.Stopwatch"/>.</summary>
internal interface ILoad
{
    Delays Since(long moment);

    IReadOnlyList<Ended> EndedSince(long moment);

    /// <summary>A further client asks for much and does not read for a while.</summary>
    Task SlowClientAsync(TimeSpan duration, CancellationToken stop);

    /// <summary>Further clients log in, all at once; those that are not in within a minute are a violation.</summary>
    Task<StormFigures> StormAsync(int clients);
}
