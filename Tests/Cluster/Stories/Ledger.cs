using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Cluster.Stories;

/// <summary>What became of a message that a client tried to store.</summary>
/// <param name="Uid">Not null: the APPEND was answered OK. Null: the answer was NO [UNAVAILABLE], or the connection ended first.</param>
/// <param name="Flagged">Its STORE was answered OK.</param>
internal sealed record Sent(string User, uint? Uid, bool Flagged);

/// <summary>All that was acknowledged, and how long each command took.</summary>
internal sealed partial class Ledger
{
    private readonly ConcurrentQueue<(long Start, long End)> _commands = [];

    /// <summary>By Message-ID.</summary>
    public ConcurrentDictionary<string, Sent> Messages { get; } = [];

    /// <summary>Answers NO [UNAVAILABLE].</summary>
    public int Unavailable;

    public void Took(long start) => _commands.Enqueue((start, Stopwatch.GetTimestamp()));

    /// <summary>The commands that ended after a moment, by how long they took.</summary>
    public Pauses Since(long moment) => new([.. _commands.Where(c => c.End >= moment).Select(static c => Stopwatch.GetElapsedTime(c.Start, c.End)).Order()]);

    /// <summary>Reads a user's INBOX: nothing acknowledged is missing or has lost its flag, and nothing is there twice or unasked.</summary>
    public async Task CheckAsync(LoadSession session)
    {
        (string answer, IReadOnlyList<string> lines) = await session.CommandAsync("UID FETCH 1:* (UID FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])");
        Assert.StartsWith("OK", answer, StringComparison.Ordinal);
        var found = new Dictionary<string, (uint Uid, bool Flagged)>();
        foreach (string line in lines.Where(static l => l.Contains("FETCH (", StringComparison.Ordinal)))
        {
            string id = MessageId().Match(line).Groups[1].Value;
            uint uid = uint.Parse(Uid().Match(line).Groups[1].Value, CultureInfo.InvariantCulture);
            Assert.True(found.TryAdd(id, (uid, line.Contains(@"\Flagged", StringComparison.Ordinal))), $"{id} is stored twice for {session.User}");
        }
        foreach ((string id, Sent sent) in Messages.Where(m => m.Value.User == session.User))
        {
            if (!found.Remove(id, out (uint Uid, bool Flagged) stored))
                Assert.True(sent.Uid is null, $"{id} of {session.User} was acknowledged with UID {sent.Uid} and is missing");
            else if (sent.Uid is not null)
            {
                Assert.Equal(sent.Uid, stored.Uid);
                Assert.True(stored.Flagged || !sent.Flagged, $"{id} of {session.User} has lost its flag");
            }
        }
        Assert.True(found.Count == 0, $"{string.Join(", ", found.Keys)} were never sent to {session.User}");
    }

    [GeneratedRegex(@"Message-ID: <([^>]*)>", RegexOptions.IgnoreCase)]
    private static partial Regex MessageId();

    [GeneratedRegex(@"\bUID (\d+)")]
    private static partial Regex Uid();
}

/// <summary>How long commands took, shortest first.</summary>
internal sealed record Pauses(IReadOnlyList<TimeSpan> Sorted)
{
    public TimeSpan Longest => Sorted.Count == 0 ? TimeSpan.Zero : Sorted[^1];

    public override string ToString() =>
        $"{Sorted.Count} commands, p50 {At(0.5):F0} ms, p99 {At(0.99):F0} ms, longest {Longest.TotalMilliseconds:F0} ms";

    private double At(double part) => Sorted.Count == 0 ? 0 : Sorted[(int)((Sorted.Count - 1) * part)].TotalMilliseconds;
}
