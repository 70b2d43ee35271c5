using System.Diagnostics;
using MailCluster.Benchmarks.Load;

namespace MailCluster.Benchmarks.Works;

/// <summary>One of the clients of a work.</summary>
/// <param name="Step">What it does over and over, waiting for each answer.</param>
/// <param name="Connections">Closed at the end.</param>
internal sealed record Client(Func<ValueTask<Answer>> Step, params IReadOnlyList<IDisposable> Connections);

/// <summary>What clients have done in some seconds.</summary>
internal sealed class Loops
{
    // Against a server that hangs.
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public Latencies Latencies { get; } = new();

    public long Commands { get; private set; }

    public long Octets { get; private set; }

    /// <summary>Lets all clients do their step over and over, at least once.</summary>
    /// <exception cref="TimeoutException">One had no answer for a minute.</exception>
    public static async Task<Loops> RunAsync(IReadOnlyList<Client> clients, double seconds, CancellationToken cancellation)
    {
        long until = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        Loops[] each = await Task.WhenAll(clients.Select(c => Task.Run(() => RunAsync(c, until, cancellation), cancellation)))
            .WaitAsync(TimeSpan.FromSeconds(seconds) + Patience, cancellation);
        var all = new Loops();
        foreach (Loops loop in each)
        {
            all.Latencies.Add(loop.Latencies);
            all.Commands += loop.Commands;
            all.Octets += loop.Octets;
        }
        return all;
    }

    private static async Task<Loops> RunAsync(Client client, long until, CancellationToken cancellation)
    {
        var loop = new Loops();
        do
        {
            Answer answer = await client.Step();
            loop.Latencies.Add(answer.Ticks);
            loop.Commands += answer.Commands;
            loop.Octets += answer.Octets;
        }
        while (Stopwatch.GetTimestamp() < until && !cancellation.IsCancellationRequested);
        return loop;
    }
}
