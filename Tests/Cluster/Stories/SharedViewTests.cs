using System.Diagnostics;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Cluster.Stories;

/// <summary>Two sessions of one mailbox on two front ends, whose owner is on a silo.</summary>
[Collection(nameof(NodesCollection))]
public sealed class SharedViewTests(MailNodes nodes, ITestOutputHelper output)
{
    [Fact]
    public async Task Mail_appended_through_one_front_end_is_in_an_IDLE_of_the_other_at_once()
    {
        (ImapClient a, ImapClient b) = await SessionsAsync();
        await using ImapClient first = a, second = b;
        await b.Send("i IDLE");
        await b.Expect("+ …");
        var delays = new List<TimeSpan>();
        for (int i = 1; i <= 20; i++)
        {
            long start = Stopwatch.GetTimestamp();
            await a.Append($"a{i}", "INBOX", $"Subject: {i}\r\n\r\n{i}\r\n");
            await b.Expect($"* {i} EXISTS");
            delays.Add(Stopwatch.GetElapsedTime(start));
        }
        await b.Send("DONE");
        await b.Ok("i");
        delays.Sort();
        output.WriteLine($"APPEND to EXISTS on the other front end: p50 {delays[10].TotalMilliseconds:F1} ms, longest {delays[^1].TotalMilliseconds:F1} ms");
        // Half of them, because one may fall into a pause of a busy machine. Without pushes it is 5 s.
        Assert.True(delays[10] < TimeSpan.FromSeconds(3), $"It took {delays[10]}");
    }

    [Fact]
    public async Task Flags_and_expunges_of_either_front_end_are_seen_by_the_next_command_of_the_other()
    {
        (ImapClient a, ImapClient b) = await SessionsAsync();
        await using ImapClient first = a, second = b;
        for (int i = 1; i <= 30; i++)
            await a.Append("fill", "INBOX", $"Subject: {i}\r\n\r\n{i}\r\n");
        await b.Run("n NOOP");
        for (int round = 0; round < 100; round++)
        {
            (ImapClient changes, ImapClient reads) = round % 2 == 0 ? (a, b) : (b, a);
            int message = (round % 30) + 1;
            await changes.Run($"s STORE {message} FLAGS.SILENT (round{round})");
            if (round % 3 == 0)
                Assert.Contains(await reads.Run("n NOOP"), l => l.StartsWith($"* {message} FETCH (", StringComparison.Ordinal) && Has(l, round));
            else
                Assert.Contains(await reads.Run($"f FETCH {message} FLAGS"), l => l.StartsWith($"* {message} FETCH (", StringComparison.Ordinal) && Has(l, round));
        }
        for (int left = 30; left > 10; left--)
        {
            (ImapClient changes, ImapClient reads) = left % 2 == 0 ? (a, b) : (b, a);
            await changes.Run(@"s STORE 2 +FLAGS.SILENT (\Deleted)");
            Assert.Contains("* 2 EXPUNGE", await changes.Run("x EXPUNGE"));
            Assert.Contains("* 2 EXPUNGE", await reads.Run("n NOOP"));
            Assert.Contains(await reads.Run("t STATUS INBOX (MESSAGES)"), l => l.Contains($"MESSAGES {left - 1}", StringComparison.Ordinal));
        }
    }

    private static bool Has(string line, int round) => line.Contains($"round{round})", StringComparison.Ordinal) || line.Contains($"round{round} ", StringComparison.Ordinal);

    private async Task<(ImapClient, ImapClient)> SessionsAsync()
    {
        await nodes.WholeAsync();
        string user = await nodes.Accounts.AddAsync();
        ImapClient a = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, user, TestAccounts.Password);
        ImapClient b = await ImapClient.LoggedInAsync(nodes.FrontEnds[1].Imap, user, TestAccounts.Password);
        // rev2: no RECENT between what is expected.
        foreach (ImapClient client in new[] { a, b })
        {
            await client.Run("e ENABLE IMAP4rev2");
            await client.Run("s SELECT INBOX");
        }
        return (a, b);
    }
}
