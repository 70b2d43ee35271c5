using System.Collections.Concurrent;
using System.Diagnostics;
using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>Log-ins of users that nothing is remembered of: the password hash (SCRAM-SHA-256, 4,096 iterations) is computed each time.</summary>
internal sealed class FirstLogIn() : Work("login-first", "first login of 200 users, and logout, 8 connections", Unit.PerSecond, "")
{
    private const int Users = 200;
    private const int Clients = 8;

    private int _run;

    public override bool IsAgainst(DovecotVariant variant) => variant == DovecotVariant.MdBox || variant == DovecotVariant.Default;

    public override async Task<Figures> RunAsync(Target target, Settings settings, CancellationToken cancellation)
    {
        int run = _run++;
        var logins = new ConcurrentQueue<byte[]>();
        for (int i = 0; i < Users; i++)
            logins.Enqueue(ImapConnection.Login(await target.AccountAsync($"{DovecotConfiguration.FirstLogin}-{run}-{i}"), target.Password));
        byte[] logOut = ImapConnection.Command("LOGOUT");
        var latencies = new Latencies();
        Meter meter = Meter.Start(target);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            var own = new Latencies();
            while (logins.TryDequeue(out byte[]? login))
            {
                long started = Stopwatch.GetTimestamp();
                using ImapConnection connection = await ImapConnection.GreetedAsync(target.Imap, blocking: true);
                await connection.RunAsync(login);
                await connection.RunAsync(logOut);
                own.Add(Stopwatch.GetTimestamp() - started);
            }
            lock (latencies)
                latencies.Add(own);
        }, cancellation))).WaitAsync(TimeSpan.FromSeconds(120), cancellation);
        return Figures.Of(Unit, Users, 0, latencies, meter.Stop());
    }
}
