using System.Diagnostics;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Cluster.Stories;

/// <summary>PostgreSQL is away for longer than a command waits: every command is answered in its time, nobody loses a session, and it all goes on when it is back.</summary>
[Collection(nameof(NodesCollection))]
public sealed class PostgresLossTests(MailNodes nodes, ITestOutputHelper output)
{
    // A command waits 10 s; the rest is for a machine that is busy.
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task PostgreSQL_that_is_away_for_longer_than_a_command_waits_costs_refusals_and_no_session()
    {
        await nodes.WholeAsync();
        await using MailLoad load = await MailLoad.StartAsync(nodes);
        await load.FurtherAsync(20);
        string user = await nodes.Accounts.AddAsync(), late = await nodes.Accounts.AddAsync();
        await using ImapClient idle = await ImapClient.LoggedInAsync(nodes.FrontEnds[1].Imap, user, TestAccounts.Password);
        await idle.Run("s SELECT INBOX");
        await idle.Send("i IDLE");
        await idle.Expect("+ …");

        await nodes.Postgres.StopAsync();
        long stopped = Stopwatch.GetTimestamp();
        // Who logs in is told so (his account's owner knows nothing of him yet), and what needs no state is answered at once.
        await Task.WhenAll(nodes.FrontEnds.Select(async front =>
        {
            await using ImapClient client = await ImapClient.ConnectAsync(front.Imap);
            await client.Run("c CAPABILITY");
            long asked = Stopwatch.GetTimestamp();
            await client.Send($"l LOGIN {late} \"{TestAccounts.Password}\"");
            await client.No("l", "[UNAVAILABLE] …");
            Assert.True(Stopwatch.GetElapsedTime(asked) < LongestAnswer, client.Transcript);
        }));
        output.WriteLine($"longest command {load.Ledger.Since(stopped)}, {load.Ledger.Unavailable} UNAVAILABLE");

        await nodes.Postgres.StartAgainAsync();
        long back = Stopwatch.GetTimestamp();
        await load.FurtherAsync(1);
        TimeSpan until = Stopwatch.GetElapsedTime(back);
        output.WriteLine($"every client is served {until.TotalSeconds:F1} s after PostgreSQL answers");
        await (await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, late, TestAccounts.Password)).DisposeAsync();
        await using (ImapClient client = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, user, TestAccounts.Password))
            await client.Append("a", "INBOX", "Subject: after\r\n\r\ntext\r\n");
        while (!(await idle.Line()).Contains(" EXISTS", StringComparison.Ordinal))
        {
        }
        await idle.Send("DONE");
        await idle.Ok("i");
        await load.FurtherAsync(20);
        await load.StopAndCheckAsync();
        Assert.Empty(load.Ended);
        Assert.True(load.Ledger.Since(stopped).Longest < LongestAnswer, load.Ledger.Since(stopped).ToString());
        Assert.All(nodes.Silos.Concat(nodes.FrontEnds), static n => Assert.True(n.Runs, $"{n.Settings.Name} has ended: {n.Process!.Output}"));
        foreach (MailNode front in nodes.FrontEnds)
            await MailNodes.KnowsAsync(front, nodes.Silos.Count);
    }
}
