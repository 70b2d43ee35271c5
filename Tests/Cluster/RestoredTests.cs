using System.Text.RegularExpressions;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Cluster;

/// <summary>A node on a real PostgreSQL: mail, a backup, more mail that a client sees, the backup restored, and the client that comes back.</summary>
public sealed partial class RestoredTests(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-test-");
    private string _connection = "";
    private NodeSettings _node = null!;
    private string _config = "";
    private string _user = "";
    private ServerProcess _process = null!;

    public async ValueTask InitializeAsync()
    {
        _connection = await postgres.CreateDatabaseAsync();
        _node = new NodeSettings("node-7", _connection);
        _config = _node.Write(_directory.FullName);
        await using TestAccounts accounts = await TestAccounts.CreateAsync(_connection);
        _user = await accounts.AddAsync();
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _process.DisposeAsync();
        _directory.Delete(true);
    }

    [Fact]
    public async Task No_client_sees_a_uid_or_a_modseq_of_before_with_other_contents()
    {
        await using (ImapClient c = await LoggedInAsync())
        {
            for (int i = 1; i <= 3; i++)
                await c.Append("p", "INBOX", Text($"kept {i}"));
            await c.Run("c CREATE Folder");
            await c.Append("p", "Folder", Text("kept in Folder"));
        }
        _process.Terminate();
        await _process.WaitForExitAsync();
        await SqlAsync("postgres", $"CREATE DATABASE backup TEMPLATE {Database}");

        await StartAsync();
        Seen seen;
        long folderValidity;
        HashSet<string> ids;
        await using (ImapClient c = await LoggedInAsync())
        {
            await c.Append("p", "INBOX", Text("lost 4"));
            await c.Append("p", "INBOX", Text("lost 5"));
            await c.Run("e ENABLE QRESYNC");
            await c.Run("s SELECT INBOX");
            await c.Run(@"t STORE 1 +FLAGS (\Flagged)");
            await c.Run(@"t STORE 2 +FLAGS (\Deleted)");
            await c.Run("x EXPUNGE");
            await c.Run("d DELETE Folder");
            await c.Run("c CREATE Folder");
            await c.Append("p", "Folder", Text("lost in Folder"));
            ids = [.. (await c.Run("f FETCH 1:* (EMAILID THREADID)")).SelectMany(static l => Ids().Matches(l).Select(static m => m.Value))];
            seen = await StatusAsync(c, "INBOX");
            Assert.Equal(6, seen.UidNext);
            folderValidity = (await StatusAsync(c, "Folder")).UidValidity;
            ids.Add((await StatusAsync(c, "Folder")).Id);
        }

        // It is restored over a database whose node lives, then whose node is gone.
        (int exitCode, string output) = await AdminAsync("cluster", "restored");
        Assert.Equal(1, exitCode);
        Assert.StartsWith("Nodes run: node-7.", output);
        _process.Kill();
        await _process.WaitForExitAsync();
        await SqlAsync("postgres", $"DROP DATABASE {Database} WITH (FORCE)");
        await SqlAsync("postgres", $"ALTER DATABASE backup RENAME TO {Database}");
        // A backup of some time ago, made while the node was running.
        await SqlAsync(Database, "update directory.front_end set seen = now() - interval '1 hour'");
        await SqlAsync(Database, "update orleans.membership set status = 3, i_am_alive_time = now() - interval '1 hour'");
        (exitCode, output) = await AdminAsync("cluster", "restored");
        Assert.True(exitCode == 0, output);
        Assert.Contains("nodes may start", output);
        (exitCode, output) = await AdminAsync("mailbox", "check", "--bodies");
        Assert.True(exitCode == 0, output);

        await StartAsync();
        await using (ImapClient c = await LoggedInAsync())
        {
            await c.Run("e ENABLE QRESYNC");
            IReadOnlyList<string> answer = await c.Run($"s SELECT INBOX (QRESYNC ({seen.UidValidity} {seen.ModSeq} 1,3:5))");
            // What it knows and what never was: gone. What came back and what was changed: told, all of it, under modseqs that it has not seen.
            Assert.Contains("* VANISHED (EARLIER) 4:5", answer);
            List<(string Uid, long ModSeq)> told = [.. answer.Select(static l => Fetched().Match(l)).Where(static m => m.Success)
                .Select(static m => (m.Groups["uid"].Value, long.Parse(m.Groups["modseq"].Value)))];
            Assert.Equal(["1", "3"], told.Select(static t => t.Uid));
            Assert.All(told, t => Assert.True(t.ModSeq > seen.ModSeq));
            Assert.DoesNotContain(answer, static l => l.StartsWith("* 1 FETCH", StringComparison.Ordinal) && l.Contains(@"\Flagged", StringComparison.Ordinal));
            Seen now = await StatusAsync(c, "INBOX");
            Assert.Equal(seen.UidValidity, now.UidValidity);
            Assert.True(now.UidNext >= seen.UidNext + 900_000 && now.ModSeq > seen.ModSeq + 1_000_000, $"{seen} {now}");

            await c.Append("p", "INBOX", Text("new"));
            await c.Run(@"t UID STORE 1 +FLAGS (\Answered)");
            Assert.True((await StatusAsync(c, "INBOX")).UidNext == now.UidNext + 1);
            Assert.DoesNotContain((await c.Run($"f UID FETCH {now.UidNext} (EMAILID THREADID)")).SelectMany(static l => Ids().Matches(l).Select(static m => m.Value)), ids.Contains);
            // A folder that is made anew under a name of before.
            await c.Run("d DELETE Folder");
            await c.Run("c CREATE Folder");
            Seen folder = await StatusAsync(c, "Folder");
            Assert.True(folder.UidValidity > folderValidity + 900_000);
            Assert.DoesNotContain(folder.Id, ids);
        }
    }

    [Fact]
    public async Task A_node_does_not_serve_a_database_whose_restore_was_broken_off()
    {
        _process.Terminate();
        await _process.WaitForExitAsync();
        await SqlAsync(Database, "insert into directory.restore_run (uids, modseqs) values (5, 5)");
        (int exitCode, string output) = await ServerProcess.RunAsync("node", "--role", "all", "--config", _config);
        Assert.Equal(1, exitCode);
        Assert.Contains("'mailcluster admin cluster restored'", output);
        await SqlAsync(Database, "update directory.front_end set seen = now() - interval '1 hour'");
        (exitCode, output) = await AdminAsync("cluster", "restored");
        Assert.True(exitCode == 0, output);
        Assert.Contains("gone on with", output);
        await StartAsync();
    }

    private sealed record Seen(long UidValidity, long UidNext, long ModSeq, string Id);

    private static async Task<Seen> StatusAsync(ImapClient c, string mailbox)
    {
        Match status = Status().Match(string.Join('\n', await c.Run($"t STATUS {mailbox} (UIDVALIDITY UIDNEXT HIGHESTMODSEQ MAILBOXID)")));
        Assert.True(status.Success, c.Transcript);
        long Number(string name) => long.Parse(status.Groups[name].Value);
        return new Seen(Number("validity"), Number("next"), Number("modseq"), status.Groups["id"].Value);
    }

    private async Task StartAsync() => _process = await ServerProcess.StartReadyAsync(["node", "--role", "all", "--config", _config]);

    private Task<ImapClient> LoggedInAsync() => ImapClient.LoggedInAsync(new(System.Net.IPAddress.Loopback, _node.ImapPort), _user, TestAccounts.Password);

    private Task<(int ExitCode, string Output)> AdminAsync(params string[] arguments) => ServerProcess.RunAsync(["admin", .. arguments, "--config", _config]);

    private string Database => new NpgsqlConnectionStringBuilder(_connection).Database!;

    private async Task SqlAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(_connection) { Database = database, Pooling = false }.ConnectionString);
        await using NpgsqlCommand command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static string Text(string what) => $"Subject: {what}\r\nMessage-ID: <{what.Replace(' ', '.')}@test.example>\r\n\r\n{what}\r\n";

    [GeneratedRegex(@"UIDNEXT (?<next>\d+) UIDVALIDITY (?<validity>\d+) HIGHESTMODSEQ (?<modseq>\d+) MAILBOXID \((?<id>[^)]+)\)")]
    private static partial Regex Status();

    [GeneratedRegex(@"(?<=(EMAILID|THREADID) \()[^)]+")]
    private static partial Regex Ids();

    [GeneratedRegex(@"^\* \d+ FETCH \(.*UID (?<uid>\d+).*MODSEQ \((?<modseq>\d+)\)")]
    private static partial Regex Fetched();
}
