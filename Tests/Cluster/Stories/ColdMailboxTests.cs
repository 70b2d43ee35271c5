using System.Globalization;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Cluster.Stories;

/// <summary>What mailboxes cost that nobody has open.</summary>
[Collection(nameof(NodesCollection))]
public sealed class ColdMailboxTests(MailNodes nodes)
{
    [Fact]
    public async Task LIST_STATUS_of_500_cold_folders_is_a_handful_of_statements_and_loads_no_mailbox()
    {
        await nodes.WholeAsync();
        string user = await nodes.Accounts.AddAsync();
        await using ImapClient client = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, user, TestAccounts.Password);
        await client.Send([.. Enumerable.Range(0, 500).Select(static i => $"c{i} CREATE folder{i}")]);
        for (int i = 0; i < 500; i++)
            await client.Ok($"c{i}");
        (double claims, double loads) = (await SumAsync("claims"), await SumAsync("loads"));
        await ExecuteAsync("SELECT pg_stat_statements_reset()");

        IReadOnlyList<string> lines = await client.Run("l LIST \"\" \"*\" RETURN (STATUS (MESSAGES UIDNEXT UIDVALIDITY UNSEEN))");
        Assert.True(lines.Count(static l => l.StartsWith("* STATUS", StringComparison.Ordinal)) >= 500);

        object? calls = await ExecuteAsync(
            "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements WHERE query LIKE '%mail.%' AND query NOT LIKE '%collect%'");
        // Some of them are the nodes' own, each second, however long the answer takes.
        Assert.InRange((long)calls!, 1, 100);
        Assert.Equal((claims, loads), (await SumAsync("claims"), await SumAsync("loads")));
    }

    [Fact]
    public async Task Delivery_to_a_cold_mailbox_loads_none()
    {
        await nodes.WholeAsync();
        string user = await nodes.Accounts.AddAsync();
        double loads = await SumAsync("loads");
        double claims = await SumAsync("claims");
        await using (ImapClient lmtp = await ImapClient.ConnectSilentlyAsync(nodes.FrontEnds[1].Lmtp))
        {
            await lmtp.Expect("220 …");
            await lmtp.Send("LHLO here.test");
            while (!(await lmtp.Line()).StartsWith("250 ", StringComparison.Ordinal))
            {
            }
            for (int i = 0; i < 3; i++)
            {
                await lmtp.Send("MAIL FROM:<>", $"RCPT TO:<{user}>", "DATA");
                await lmtp.Expect("250 …", "250 …", "354 …");
                await lmtp.Send($"Subject: {i}", "", "Hello", ".");
                await lmtp.Expect("250 …");
            }
        }
        Assert.Equal(loads, await SumAsync("loads"));
        Assert.Equal(claims + 1, await SumAsync("claims"));

        await using ImapClient client = await ImapClient.LoggedInAsync(nodes.FrontEnds[0].Imap, user, TestAccounts.Password);
        Assert.Contains("* 3 EXISTS", await client.Run("s SELECT INBOX"));
        Assert.Equal(loads, await SumAsync("loads"));
        await client.Run("f FETCH 1:3 FLAGS");
        Assert.Equal(loads + 1, await SumAsync("loads"));
    }

    /// <summary>A counter of all silos together.</summary>
    private async Task<double> SumAsync(string counter)
    {
        double sum = 0;
        foreach (MailNode silo in nodes.Silos)
        {
            using var http = new HttpClient { BaseAddress = silo.Http };
            string metrics = await http.GetStringAsync("/metrics");
            sum += metrics.Split('\n').Where(l => l.StartsWith($"mailcluster_mailbox_{counter}_total", StringComparison.Ordinal))
                .Sum(static l => double.Parse(l[(l.IndexOf('}', StringComparison.Ordinal) + 1)..].Trim().Split(' ')[0], CultureInfo.InvariantCulture));
        }
        return sum;
    }

    private async Task<object?> ExecuteAsync(string sql)
    {
        await using var dataSource = NpgsqlDataSource.Create(nodes.ConnectionString + ";Pooling=false");
        await using var command = dataSource.CreateCommand(sql);
        return await command.ExecuteScalarAsync();
    }
}
