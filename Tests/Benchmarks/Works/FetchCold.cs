using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>UID FETCH 1:* BODY.PEEK[] once, where neither the server nor the kernel has any of the mail in memory; programs are, since they have run before.</summary>
internal sealed class FetchCold(string name, int messages, int bytes, string goal)
    : Work(name, $"UID FETCH BODY.PEEK[] of {messages} messages of {(bytes >= 1 << 20 ? $"{bytes >> 20} MB" : $"{bytes >> 10} KB")}, cold caches, 1 connection", Unit.Megabytes, goal)
{
    // For runtimes that compile as they go.
    private const int WarmUp = 3;

    public override Task PrepareAsync(Target target, Settings settings) => target.MailboxAsync("cold", messages, bytes);

    public override async Task<Figures> RunAsync(Target target, Settings settings, CancellationToken cancellation)
    {
        string user = await target.MailboxAsync("cold", messages, bytes);
        for (int i = 0; i < WarmUp; i++)
            await FetchAsync();
        await target.ForgetFilesAsync(user);
        await SystemCache.DropAsync();
        Meter meter = Meter.Start(target);
        var latencies = new Latencies();
        Answer answer = await FetchAsync();
        latencies.Add(answer.Ticks);
        return Figures.Of(Unit, 1, answer.Octets, latencies, meter.Stop());

        async Task<Answer> FetchAsync()
        {
            using ImapConnection connection = await target.LoggedInAsync(user);
            await connection.RunAsync(ImapConnection.Command("SELECT INBOX"));
            Answer fetched = await connection.RunAsync(ImapConnection.Command("UID FETCH 1:* BODY.PEEK[]"));
            return fetched.Untagged >= messages ? fetched : throw new UnexpectedAnswerException($"{fetched.Untagged} of {messages} messages");
        }
    }
}
