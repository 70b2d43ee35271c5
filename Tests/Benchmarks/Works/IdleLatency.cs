using System.Diagnostics;
using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>From APPEND's OK at one client to EXISTS at another that is in IDLE, at another front end where there are two; 0 where EXISTS is there first.</summary>
internal sealed class IdleLatency() : LoopWork("idle", "APPEND's OK at A to EXISTS at B in IDLE", Unit.Milliseconds, "≤ 0.5 ms, p99 ≤ 2 ms; across nodes ≤ 3 and 10 ms", 1)
{
    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        string user = await target.AccountAsync($"idle-{Guid.NewGuid():N}");
        ImapConnection a = await target.LoggedInAsync(user);
        ImapConnection b = await ImapConnection.LoggedInAsync(target.OtherImap, user, target.Password);
        await b.RunAsync(ImapConnection.Command("SELECT INBOX"));
        await b.IdleAsync();
        NumberedBytes append = SampleMessages.Append("INBOX", 1024, number);
        int messages = 0;
        return new Client(async () =>
        {
            Task<long> told = b.ExistsAsync(++messages).AsTask();
            await a.RunAsync(append.Next());
            long answered = Stopwatch.GetTimestamp();
            return new Answer(Math.Max(0, await told - answered));
        }, a, b);
    }
}
