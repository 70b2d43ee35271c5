using System.Diagnostics;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Cluster.Stories;

/// <summary>The primary loses its power and its synchronous standby takes its place, under load.</summary>
[Collection(nameof(NodesCollection))]
public sealed class FailOverTests(ITestOutputHelper output)
{
    // A command waits 10 s; the rest is for a machine that is busy.
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_fail_over_loses_nothing_and_closes_no_session()
    {
        await using MailNodes nodes = MailNodes.OverPair();
        await nodes.WholeAsync();
        await using MailLoad load = await MailLoad.StartAsync(nodes);
        await load.FurtherAsync(20);
        for (int turn = 1; turn <= 2; turn++)
        {
            long moment = Stopwatch.GetTimestamp();
            await nodes.Pair!.FailOverAsync();
            TimeSpan promoted = Stopwatch.GetElapsedTime(moment);
            await load.FurtherAsync(1);
            TimeSpan served = Stopwatch.GetElapsedTime(moment);
            await load.FurtherAsync(20);
            Pauses pauses = load.Ledger.Since(moment);
            output.WriteLine(
                $"fail-over: promoted after {promoted.TotalSeconds:F1} s, every client served after {served.TotalSeconds:F1} s; {pauses}, {load.Ledger.Unavailable} UNAVAILABLE");
            Assert.True(pauses.Longest < LongestAnswer, pauses.ToString());
            Assert.Empty(load.Ended);
            // The way back, too: the old primary is the standby now.
            if (turn == 1)
                await nodes.Pair.RejoinAsync();
        }
        await load.StopAndCheckAsync();
        Assert.Empty(load.Ended);
        Assert.All(nodes.Silos.Concat(nodes.FrontEnds), static n => Assert.True(n.Runs, $"{n.Settings.Name} has ended: {n.Process!.Output}"));
        await using ImapClient late = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, await nodes.Accounts.AddAsync(), TestAccounts.Password);
        await late.Append("a", "INBOX", "Subject: after\r\n\r\ntext\r\n");
    }
}
