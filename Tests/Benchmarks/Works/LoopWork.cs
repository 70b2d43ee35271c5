using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>A work that a number of clients do over and over for some seconds.</summary>
/// <param name="clients">How many.</param>
internal abstract class LoopWork(string name, string does, Unit unit, string goal, int clients) : Work(name, does, unit, goal)
{
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
                opened.Add(await OpenAsync(target, settings, i).WaitAsync(Loops.Patience, cancellation));
            await Loops.RunAsync(opened, _warm.Add(target) ? settings.WarmUp : 0.3, cancellation);
            Meter meter = Meter.Start(target);
            Loops done = await Loops.RunAsync(opened, settings.Seconds, cancellation);
            return Figures.Of(Unit, done.Commands, done.Octets, done.Latencies, meter.Stop());
        }
        finally
        {
            foreach (IDisposable connection in opened.SelectMany(static c => c.Connections))
                connection.Dispose();
        }
    }
}
