using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>Memory of all processes of the server after many users have read their mail and gone, less what it had before, for each of them: what owners keep of accounts and mailboxes.</summary>
internal sealed class ActiveMailboxes() : Work("active-mailboxes", "memory of a mailbox of 20 messages that was just in use", Unit.Kilobytes, "")
{
    private const int AtOnce = 8;
    private const int WarmUp = 200;
    private const int Messages = 20;

    private int _runs;

    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(5);

    public override bool IsAgainst(DovecotVariant variant) => false;

    public override async Task<Figures> RunAsync(Target target, Settings settings, CancellationToken cancellation)
    {
        int count = settings.IdleConnections + WarmUp;
        string[] users = await target.MailboxesAsync($"active{_runs++}-", count, Messages, 1024);
        await target.RestartAsync();
        await UseAsync(target, users[..WarmUp], cancellation);
        await Task.Delay(Settling, cancellation);
        Meter meter = Meter.Start(target);
        long without = target.Parts.Sum(static p => ProcessTree.Memory(p.Process).Proportional);
        await UseAsync(target, users[WarmUp..], cancellation);
        await Task.Delay(Settling, cancellation);
        Usage usage = meter.Stop();
        return new Figures((usage.Proportional - without) / 1024.0 / settings.IdleConnections, settings.IdleConnections, new Latencies(), usage);
    }

    private static async Task UseAsync(Target target, string[] users, CancellationToken cancellation)
    {
        int next = -1;
        await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(_ => Task.Run(async () =>
        {
            for (int i; (i = Interlocked.Increment(ref next)) < users.Length && !cancellation.IsCancellationRequested;)
            {
                using ImapConnection connection = await target.LoggedInAsync(users[i]);
                await connection.RunAsync(ImapConnection.Command("SELECT INBOX"));
                await connection.RunAsync(ImapConnection.Command("FETCH 1:* (UID FLAGS)"));
                await connection.RunAsync(ImapConnection.Command("LOGOUT"));
            }
        }, cancellation))).WaitAsync(TimeSpan.FromMinutes(5), cancellation);
    }
}
