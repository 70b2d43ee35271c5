using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>
/// What others feel while all messages of one large mailbox are flagged, and moved there and back, again and again, or while large messages are appended: their p99 of APPEND
/// or STORE, as a multiple of the p99 that they had just before.
/// </summary>
/// <param name="large">Beside 8 connections that append 64 KB each, into mailboxes of their own.</param>
internal sealed class BesideBulk(string name, bool stores, bool large = false)
    : Work(name, $"p99 of others' {(stores ? "UID STORE" : "APPEND 4 KB")} (8 connections) while {(large ? "8 connections append 64 KB" : "a large mailbox is flagged and moved")}", Unit.TimesQuiet, large ? "" : "≤ 2 × quiet")
{
    private const int Others = 8;

    private readonly HashSet<Target> _warm = [];

    // A mailbox of its own: whoever reads the other one later finds it as it was.
    public override Task PrepareAsync(Target target, Settings settings) => large ? Task.CompletedTask : MailboxAsync(target, settings);

    public override async Task<Figures> RunAsync(Target target, Settings settings, CancellationToken cancellation)
    {
        var others = new List<Client>();
        var busy = new List<ImapConnection>();
        try
        {
            for (int i = 0; i < (large ? Others : 1); i++)
                busy.Add(await target.LoggedInAsync(large ? await target.AccountAsync($"large-{i}") : await MailboxAsync(target, settings)));
            for (int i = 0; i < Others; i++)
                others.Add(await OtherAsync(target, i));
            if (_warm.Add(target))
                await Loops.RunAsync(others, settings.WarmUp, cancellation);
            Loops quiet = await Loops.RunAsync(others, settings.Seconds, cancellation);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            Task working = Task.WhenAll(busy.Select((c, n) => Task.Run(() => large ? AppendAsync(c, n, ended.Token) : WorkAsync(c, ended.Token), cancellation)));
            Meter meter = Meter.Start(target);
            Loops beside = await Loops.RunAsync(others, settings.Seconds, cancellation);
            Usage usage = meter.Stop();
            await ended.CancelAsync();
            await working.WaitAsync(Loops.Patience, cancellation);
            return new Figures(beside.Latencies.Milliseconds(0.99) / quiet.Latencies.Milliseconds(0.99), beside.Commands, beside.Latencies, usage);
        }
        finally
        {
            foreach (IDisposable connection in others.SelectMany(static c => c.Connections).Concat(busy))
                connection.Dispose();
        }
    }

    private static Task<string> MailboxAsync(Target target, Settings settings) => target.MailboxAsync("bulk", settings.Messages, 1024);

    // Always to the end: the next round finds all messages in INBOX.
    private static async Task WorkAsync(ImapConnection bulk, CancellationToken ended)
    {
        try
        {
            await bulk.RunAsync(ImapConnection.Command("CREATE Other"));
        }
        catch (UnexpectedAnswerException)
        {
            // It is there since the first run.
        }
        while (!ended.IsCancellationRequested)
        {
            foreach (string command in new[]
            {
                "SELECT INBOX", "STORE 1:* +FLAGS.SILENT (\\Flagged)", "STORE 1:* -FLAGS.SILENT (\\Flagged)", "MOVE 1:* Other", "SELECT Other", "MOVE 1:* INBOX",
            })
                await bulk.RunAsync(ImapConnection.Command(command));
        }
    }

    private static async Task AppendAsync(ImapConnection connection, int number, CancellationToken ended)
    {
        NumberedBytes append = SampleMessages.Append("INBOX", 64 * 1024, number);
        while (!ended.IsCancellationRequested)
            await connection.RunAsync(append.Next());
    }

    private async Task<Client> OtherAsync(Target target, int number)
    {
        ImapConnection connection = await target.LoggedInAsync(await target.MailboxAsync($"beside-{number}", 10, 1024));
        if (!stores)
        {
            NumberedBytes append = SampleMessages.Append("INBOX", 4096, number);
            return new Client(() => connection.RunAsync(append.Next()), connection);
        }
        await connection.RunAsync(ImapConnection.Command("SELECT INBOX"));
        byte[] add = ImapConnection.Command("UID STORE 1 +FLAGS (\\Flagged)");
        byte[] remove = ImapConnection.Command("UID STORE 1 -FLAGS (\\Flagged)");
        bool adds = false;
        return new Client(() => connection.RunAsync((adds = !adds) ? add : remove), connection);
    }
}
