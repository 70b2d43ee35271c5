using System.Diagnostics;
using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>One of the clients of a <see cref="LoopWork"/>.</summary>
/// <param name="Step">What it does over and over, waiting for each answer.</param>
/// <param name="Connections">Closed at the end.</param>
internal sealed record Client(Func<ValueTask<Answer>> Step, params IReadOnlyList<IDisposable> Connections);

/// <summary>A work that a number of clients do over and over for some seconds.</summary>
/// <param name="clients">How many.</param>
internal abstract class LoopWork(string name, string does, Unit unit, string goal, int clients) : Work(name, does, unit, goal)
{
    // Against a server that hangs.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    // A runtime that compiles as it goes needs a while; whoever needs none loses nothing.
    private readonly HashSet<Target> _warm = [];

    protected int Clients => clients;

    /// <summary>Connects and prepares the commands of one client.</summary>
    /// <param name="number">Which of them, from 0.</param>
    protected abstract Task<Client> OpenAsync(Target target, Settings settings, int number);

    public sealed override async Task<Figures> RunAsync(Target target, Settings settings, CancellationToken cancellation)
    {
        var opened = new List<Client>(Clients);
        try
        {
            for (int i = 0; i < Clients; i++)
                opened.Add(await OpenAsync(target, settings, i).WaitAsync(Patience, cancellation));
            await LoopAsync(opened, _warm.Add(target) ? Math.Min(3, settings.Seconds) : 0.3, cancellation);
            Meter meter = Meter.Start(target);
            Loop[] loops = await LoopAsync(opened, settings.Seconds, cancellation);
            Usage usage = meter.Stop();
            var latencies = new Latencies();
            foreach (Loop loop in loops)
                latencies.Add(loop.Latencies);
            return Figures.Of(Unit, loops.Sum(static l => l.Commands), loops.Sum(static l => l.Octets), latencies, usage);
        }
        finally
        {
            foreach (IDisposable connection in opened.SelectMany(static c => c.Connections))
                connection.Dispose();
        }
    }

    private static Task<Loop[]> LoopAsync(IReadOnlyList<Client> clients, double seconds, CancellationToken cancellation)
    {
        long until = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        return Task.WhenAll(clients.Select(c => Task.Run(() => LoopAsync(c, until, cancellation), cancellation)))
            .WaitAsync(TimeSpan.FromSeconds(seconds) + Patience, cancellation);
    }

    private static async Task<Loop> LoopAsync(Client client, long until, CancellationToken cancellation)
    {
        var loop = new Loop();
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

    private sealed class Loop
    {
        public Latencies Latencies { get; } = new();

        public long Commands { get; set; }

        public long Octets { get; set; }
    }
}
