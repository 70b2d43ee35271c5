using System.Diagnostics;
using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>What follows the end of another front end: 500 clients connect at once, log in and select their mailbox.</summary>
internal sealed class Reconnect() : Work("reconnect", "500 clients that connect at once, log in and select", Unit.PerSecond, "")
{
    private const int Clients = 500;

    private readonly HashSet<Target> _known = [];

    public override bool IsAgainst(DovecotVariant variant) => variant == DovecotVariant.MdBox;

    public override async Task PrepareAsync(Target target, Settings settings)
    {
        if (!_known.Add(target))
            return;
        // They were logged in a moment ago, at the front end that is gone.
        for (int i = 0; i < Clients; i++)
            (await target.LoggedInAsync(await target.AccountAsync($"reconnect-{i}"))).Dispose();
    }

    public override async Task<Figures> RunAsync(Target target, Settings settings, CancellationToken cancellation)
    {
        byte[] select = ImapConnection.Command("SELECT INBOX");
        byte[][] logins = new byte[Clients][];
        for (int i = 0; i < Clients; i++)
            logins[i] = ImapConnection.Login(await target.AccountAsync($"reconnect-{i}"), target.Password);
        var latencies = new Latencies();
        var connections = new ImapConnection?[Clients];
        try
        {
            Meter meter = Meter.Start(target);
            await Task.WhenAll(Enumerable.Range(0, Clients).Select(i => Task.Run(async () =>
            {
                long started = Stopwatch.GetTimestamp();
                ImapConnection connection = connections[i] = await ImapConnection.GreetedAsync(target.Imap);
                await connection.RunAsync(logins[i]);
                await connection.RunAsync(select);
                lock (latencies)
                    latencies.Add(Stopwatch.GetTimestamp() - started);
            }, cancellation))).WaitAsync(TimeSpan.FromSeconds(60), cancellation);
            return Figures.Of(Unit, Clients, 0, latencies, meter.Stop());
        }
        finally
        {
            foreach (ImapConnection? connection in connections)
                connection?.Dispose();
        }
    }
}
