using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>SEARCH of texts with the index that a running node makes, while mail comes and goes and the index with it.</summary>
public sealed class SearchIndexTests
{
    private const int Count = 1200;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_index_comes_and_goes_and_finds_stay()
    {
        await using MailServer server = MailServer.With(("Limits:SearchIndexPercent", 100));
        ImapClient[] c = await server.SessionsAsync(3);
        await FillAsync(c[1], 1, Count);
        await using NpgsqlDataSource database = NpgsqlDataSource.Create(server.ConnectionString);
        await c[1].Run("a SELECT INBOX");
        await FindsAsync(c[1], 1, Count);
        // What the first search had to read is indexed behind it.
        await Eventually.Async("What was searched was not indexed", async () => await GroupsAsync(database) == 2);
        await FindsAsync(c[1], 1, Count);
        Task changes = ChangeAsync(c[2]);
        Task losses = Task.Run(async () =>
        {
            while (!changes.IsCompleted)
            {
                await using NpgsqlCommand command = database.CreateCommand("delete from mail.search_group where ctid = (select ctid from mail.search_group order by random() limit 1)");
                await command.ExecuteNonQueryAsync(Stop);
                await Task.Delay(20, Stop);
            }
        }, Stop);
        while (!changes.IsCompleted)
            await FindsAsync(c[1], 101, Count);
        await changes;
        await losses;
        await c[3].Run("a SELECT INBOX");
        // 1 to 100 are gone, as many came.
        await FindsAsync(c[3], 101, Count + 100);
        await Eventually.Async("The index was not made anew", async () =>
        {
            await FindsAsync(c[3], 101, Count + 100);
            return await GroupsAsync(database) >= 2;
        });
    }

    /// <summary>Message n has "mark-n-" in its text, "even" or "odd" too, and "Number n." in its subject.</summary>
    private static async Task FillAsync(ImapClient client, int first, int last)
    {
        for (int n = first; n <= last; n++)
        {
            string mark = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes($"Gr\u00fc\u00dfe mark-{n}- {(n % 2 == 0 ? "even" : "odd")}"));
            await client.Append("f", "INBOX", $"Subject: Number {n}.\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{mark}\r\n");
        }
    }

    /// <summary>Takes away the first hundred and adds a hundred.</summary>
    private static async Task ChangeAsync(ImapClient client)
    {
        await client.Run("a SELECT INBOX");
        for (int n = 1; n <= 100; n++)
        {
            await client.Run("b STORE 1 +FLAGS.SILENT (\\Deleted)");
            await client.Run("c EXPUNGE");
            await FillAsync(client, Count + n, Count + n);
        }
    }

    /// <summary>All messages from <paramref name="first"/> to <paramref name="last"/>, which stay, are found by what is theirs, and none by what is not.</summary>
    private static async Task FindsAsync(ImapClient client, int first, int last)
    {
        foreach (int n in new[] { first, (first + last) / 2, last })
        {
            Assert.Equal([(uint)n], await UidsAsync(client, $"BODY MARK-{n}-"));
            Assert.Equal([(uint)n], await UidsAsync(client, $"SUBJECT \"number {n}.\""));
        }
        uint[] even = await UidsAsync(client, "TEXT {7+}\r\nGR\u00c3\u009c\u00c3\u009fE TEXT even");
        for (int n = first + (first % 2); n <= last; n += 2)
            Assert.Contains((uint)n, even);
        Assert.All(even, static uid => Assert.Equal(0U, uid % 2));
        Assert.Empty(await UidsAsync(client, "TEXT nobody-wrote-this"));
        Assert.Empty(await UidsAsync(client, "NOT BODY mark-"));
    }

    private static async Task<uint[]> UidsAsync(ImapClient client, string keys)
    {
        IReadOnlyList<string> lines = await client.Run($"s UID SEARCH {keys}");
        string found = lines.Single(static l => l.StartsWith("* SEARCH", StringComparison.Ordinal));
        return [.. found["* SEARCH".Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(uint.Parse)];
    }

    private static async Task<long> GroupsAsync(NpgsqlDataSource database)
    {
        await using NpgsqlCommand command = database.CreateCommand("select count(*) from mail.search_group");
        return (long)(await command.ExecuteScalarAsync(Stop))!;
    }
}
