using System.Diagnostics;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Cluster.Stories;

/// <summary>What clients notice when nodes and PostgreSQL are lost under load, and that nothing acknowledged is.</summary>
[Collection(nameof(NodesCollection))]
public sealed class LossTests(MailNodes nodes, ITestOutputHelper output)
{
    /// <summary>Answers that every client must have had before and after each event.</summary>
    private const int Enough = 20;

    // Far above what is measured: the machine may be busy with other things.
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(40);

    [Fact]
    public async Task Killed_nodes_cost_a_pause_and_nothing_else()
    {
        await using MailLoad load = await BeginAsync();
        MailNode lost = nodes.Silos[1];
        long moment = Stopwatch.GetTimestamp();
        lost.Process!.Kill();
        await load.FurtherAsync(Enough);
        Report("silo killed", load, moment);
        Assert.Empty(load.Ended);
        Assert.Equal(0, load.Ledger.Unavailable);

        moment = Stopwatch.GetTimestamp();
        nodes.FrontEnds[1].Process!.Kill();
        await load.FurtherAsync(Enough);
        Report("front end killed", load, moment);
        Assert.All(load.Ended, static e => Assert.Equal((1, false), e));
        Assert.Equal(0, load.Ledger.Unavailable);
        await load.StopAndCheckAsync();
    }

    [Fact]
    public async Task A_crash_of_PostgreSQL_closes_no_session_and_loses_nothing()
    {
        await using MailLoad load = await BeginAsync();
        long moment = Stopwatch.GetTimestamp();
        string user = await nodes.Accounts.AddAsync();
        Task restart = nodes.Postgres.RestartAsync();
        // Who logs in meanwhile, and asks what only PostgreSQL knows, waits.
        for (int i = 0; i == 0 || !restart.IsCompleted; i++)
        {
            await using ImapClient client = await ImapClient.LoggedInAsync(nodes.FrontEnds[i % 2].Imap, user, TestAccounts.Password);
            await client.Run("l LIST \"\" \"*\"");
            await client.Run("s STATUS INBOX (MESSAGES)");
        }
        await restart;
        await load.FurtherAsync(Enough);
        Report("PostgreSQL restarted", load, moment);
        await load.StopAndCheckAsync();
        Assert.Empty(load.Ended);
        Assert.All(nodes.Silos.Concat(nodes.FrontEnds), static n => Assert.True(n.Runs, $"{n.Settings.Name} has ended"));
    }

    [Fact]
    public async Task A_node_that_is_stopped_says_BYE_to_its_own_clients_only()
    {
        await using MailLoad load = await BeginAsync();
        foreach (MailNode silo in nodes.Silos)
        {
            long moment = Stopwatch.GetTimestamp();
            await StopAsync(silo);
            await load.FurtherAsync(Enough);
            Report($"{silo.Settings.Name} stopped", load, moment);
            Assert.Empty(load.Ended);
            Assert.Equal(0, load.Ledger.Unavailable);
            await nodes.WholeAsync();
        }
        for (int front = 0; front < 2; front++)
        {
            load.Ended.Clear();
            long moment = Stopwatch.GetTimestamp();
            await StopAsync(nodes.FrontEnds[front]);
            await load.FurtherAsync(Enough);
            Report($"{nodes.FrontEnds[front].Settings.Name} stopped", load, moment);
            Assert.NotEmpty(load.Ended);
            Assert.All(load.Ended, e => Assert.Equal((front, true), e));
            await nodes.WholeAsync();
        }
        await load.StopAndCheckAsync();
    }

    [Fact]
    public async Task A_silo_that_froze_is_replaced_and_ends_when_it_thaws()
    {
        await using MailLoad load = await BeginAsync();
        MailNode frozen = nodes.Silos[0];
        long moment = Stopwatch.GetTimestamp();
        frozen.Process!.Freeze();
        await load.FurtherAsync(Enough);
        Report("silo frozen", load, moment);
        await MailNodes.KnowsAsync(nodes.Silos[1], 1);
        frozen.Process.Thaw();
        await frozen.Process.WaitForExitAsync();
        await load.FurtherAsync(Enough);
        Assert.Empty(load.Ended);
        Assert.Equal(0, load.Ledger.Unavailable);
        await load.StopAndCheckAsync();
    }

    private async Task<MailLoad> BeginAsync()
    {
        await nodes.WholeAsync();
        MailLoad load = await MailLoad.StartAsync(nodes);
        await load.FurtherAsync(Enough);
        return load;
    }

    private static async Task StopAsync(MailNode node)
    {
        node.Process!.Terminate();
        await node.Process.WaitForExitAsync();
        Assert.True(node.Process.ExitCode == 0, node.Process.Output);
    }

    private void Report(string what, MailLoad load, long moment)
    {
        Pauses pauses = load.Ledger.Since(moment);
        output.WriteLine($"{what}: {pauses}, {load.Ledger.Unavailable} UNAVAILABLE");
        Assert.True(pauses.Longest < LongestPause, $"{what}: {pauses}");
    }
}
