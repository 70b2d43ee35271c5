using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>Memory of all processes of the server with many connections in IDLE, less what it had without them, for each of them.</summary>
internal sealed class IdleMemory(string name, bool tls, string goal, bool compressed = false)
    : Work(name, $"memory of a connection in IDLE{(tls ? ", TLS" : "")}{(compressed ? ", compressed" : "")}, mailbox selected", Unit.Kilobytes, goal)
{
    // A connection's first seconds belong to it: Dovecot hands it to another process after one, runtimes collect what its beginning left.
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);

    private const int PerAccount = 10;
    private const int AtOnce = 16;
    private const int WarmUp = 200;

    public override bool IsAgainst(DovecotVariant variant) => !compressed && (variant == DovecotVariant.MdBox || (variant.Hibernates && !tls));

    public override async Task<Figures> RunAsync(Target target, Settings settings, CancellationToken cancellation)
    {
        // What other works left in its memory does not count, and must not be used again either.
        await target.RestartAsync();
        int count = settings.IdleConnections;
        string[] users = new string[(count + PerAccount - 1) / PerAccount];
        for (int i = 0; i < users.Length; i++)
            users[i] = await target.AccountAsync($"idlers-{i}");
        // One after the other: what is compiled, or kept in reserve, once for all of them.
        for (int i = 0; i < WarmUp; i++)
        {
            using ImapConnection before = await ConnectAsync(target, users[i % users.Length]);
            await before.DoneAsync();
        }
        await Task.Delay(Settling, cancellation);
        Meter meter = Meter.Start(target);
        long without = target.Parts.Sum(static p => ProcessTree.Memory(p.Process).Proportional);
        var connections = new ImapConnection?[count];
        try
        {
            int next = -1;
            await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
            {
                for (int i; (i = Interlocked.Increment(ref next)) < count && !cancellation.IsCancellationRequested;)
                    connections[i] = await ConnectAsync(target, users[i / PerAccount]);
            }, cancellation))).WaitAsync(TimeSpan.FromMinutes(5), cancellation);
            await Task.Delay(Settling, cancellation);
            Usage usage = meter.Stop();
            return new Figures((usage.Proportional - without) / 1024.0 / count, count, new Latencies(), usage);
        }
        finally
        {
            foreach (ImapConnection? connection in connections)
                connection?.Dispose();
        }
    }

    private async Task<ImapConnection> ConnectAsync(Target target, string user)
    {
        ImapConnection connection = await ImapConnection.LoggedInAsync(tls ? target.Imaps : target.Imap, user, target.Password, tls);
        if (compressed)
            await connection.CompressAsync();
        await connection.RunAsync(ImapConnection.Command("SELECT INBOX"));
        await connection.IdleAsync();
        return connection;
    }
}
