using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Cluster.Stories;

/// <summary>A node with owners and doors that stands still for so long that the others replace it, and then goes on.</summary>
[Collection(nameof(NodesCollection))]
public sealed class ZombieTests(PostgresFixture postgres) : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-test-");

    public void Dispose() => _directory.Delete(true);

    [Fact]
    public async Task A_node_that_thaws_after_its_death_answers_nothing_from_memory_and_says_BYE()
    {
        string database = await postgres.CreateDatabaseAsync();
        var (a, b) = (new MailNode(new NodeSettings("node-a", database), "all"), new MailNode(new NodeSettings("node-b", database), "all"));
        await using TestAccounts accounts = await TestAccounts.CreateAsync(database);
        string user = await accounts.AddAsync();
        await using ServerProcess zombie = await StartAsync(a);
        await using ServerProcess heir = await StartAsync(b);
        await MailNodes.KnowsAsync(a, 2);

        // The first to ask is on node-a: the mailbox's owner, too.
        await using ImapClient quiet = await ImapClient.LoggedInAsync(a.Imap, user, TestAccounts.Password);
        await using ImapClient busy = await ImapClient.LoggedInAsync(a.Imap, user, TestAccounts.Password);
        foreach (ImapClient client in new[] { quiet, busy })
        {
            await client.Run("s SELECT INBOX");
            await client.Run("n NOOP");
        }
        zombie.Freeze();
        await MailNodes.KnowsAsync(b, 1);
        await using ImapClient other = await ImapClient.LoggedInAsync(b.Imap, user, TestAccounts.Password);
        await other.Append("a", "INBOX", "Subject: new\r\n\r\nnew\r\n");
        await busy.Send("n NOOP");

        zombie.Thaw();
        await quiet.Expect("* BYE [UNAVAILABLE] …");
        await quiet.Closed();
        // The new message is in PostgreSQL: an OK without it would be the zombie's memory. With it, it is the new owner's answer.
        List<string> rest = await RestAsync(busy);
        int answer = rest.FindIndex(static l => l.StartsWith("n OK", StringComparison.Ordinal));
        Assert.True(answer < 0 || rest.IndexOf("* 1 EXISTS") is >= 0 and var told && told < answer, string.Join('\n', rest));
        await zombie.WaitForExitAsync();
        await other.Run("s SELECT INBOX");
    }

    private static async Task<List<string>> RestAsync(ImapClient client)
    {
        var lines = new List<string>();
        try
        {
            while (true)
                lines.Add(await client.Line());
        }
        catch (Exception e) when (e is IOException or UnexpectedReplyException)
        {
            return lines;
        }
    }

    private async Task<ServerProcess> StartAsync(MailNode node) =>
        await ServerProcess.StartReadyAsync(["node", "--role", node.Role, "--config", node.Settings.Write(_directory.FullName)]);
}
