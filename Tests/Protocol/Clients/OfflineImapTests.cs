using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>OfflineIMAP keeps a Maildir and an account equal, and then has nothing left to do.</summary>
public sealed class OfflineImapTests(MailServer server) : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-offlineimap-");

    public void Dispose() => _directory.Delete(true);

    [Fact]
    public async Task Two_ways_and_then_nothing()
    {
        Program.Need("offlineimap");
        string user = await server.AccountAsync();
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        for (int i = 1; i <= 3; i++)
            await c.Append("a", "INBOX", Message($"there {i}"), i == 1 ? "(\\Seen)" : "");
        await c.Append("a", "Archive", Message("filed there"));

        await SyncAsync(user);
        Assert.Equal(["there 1", "there 2", "there 3"], Subjects("INBOX"));
        Assert.Equal(["filed there"], Subjects("Archive"));
        Assert.EndsWith("S", FileOf("INBOX", "there 1"));

        // A change of each kind on each side.
        await c.Run("d SELECT INBOX");
        await c.Run("e UID STORE 1 +FLAGS.SILENT (\\Flagged)");
        await c.Run("f UID STORE 2 +FLAGS.SILENT (\\Deleted)");
        await c.Run("g EXPUNGE");
        await c.Run("h UNSELECT");
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "mail", "INBOX", "cur", "1000000000.1.test:2,S"), Message("here").Replace("\r\n", "\n"));
        string answered = FileOf("INBOX", "there 3");
        File.Move(answered, answered[..answered.IndexOf(":2,", StringComparison.Ordinal)] + ":2,R");
        File.Delete(FileOf("Archive", "filed there"));

        await SyncAsync(user);
        Assert.Equal(["here", "there 1", "there 3"], Subjects("INBOX"));
        Assert.EndsWith("FS", FileOf("INBOX", "there 1"));
        await c.Run("k EXAMINE INBOX");
        Assert.Equal(["* 1 FETCH (UID 1 FLAGS (\\Flagged \\Seen))", "* 2 FETCH (UID 3 FLAGS (\\Answered))", "* 3 FETCH (UID 4 FLAGS (\\Seen))"], await c.Run("l UID FETCH 1:* FLAGS"));
        await c.Run("m UNSELECT");
        Assert.Contains("* STATUS \"Archive\" (MESSAGES 0)", await c.Run("m STATUS Archive (MESSAGES)"));

        const string State = "LIST \"\" * RETURN (STATUS (MESSAGES UIDNEXT HIGHESTMODSEQ))";
        IReadOnlyList<string> state = await c.Run("n " + State);
        string[] files = Files();
        await SyncAsync(user);
        Assert.Equal(state, await c.Run("n " + State));
        Assert.Equal(files, Files());
    }

    private static string Message(string subject) => $"From: a@example.org\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-ID: <{subject.Replace(' ', '.')}@example.org>\r\nSubject: {subject}\r\n\r\nText\r\n";

    private string[] Files() => [.. Directory.EnumerateFiles(Path.Combine(_directory.FullName, "mail"), "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    private IEnumerable<string> Mail(string folder) => Files().Where(f => f.StartsWith(Path.Combine(_directory.FullName, "mail", folder) + "/", StringComparison.Ordinal) && f.Contains(":2,", StringComparison.Ordinal));

    private string FileOf(string folder, string subject) => Assert.Single(Mail(folder), f => File.ReadAllText(f).Contains($"Subject: {subject}\n", StringComparison.Ordinal));

    private string[] Subjects(string folder) =>
        [.. Mail(folder).Select(static f => File.ReadLines(f).First(static l => l.StartsWith("Subject: ", StringComparison.Ordinal))["Subject: ".Length..]).Order(StringComparer.Ordinal)];

    private async Task SyncAsync(string user)
    {
        string configuration = Path.Combine(_directory.FullName, "offlineimaprc");
        await File.WriteAllTextAsync(configuration, $"""
            [general]
            accounts = test
            metadata = {_directory.FullName}/meta
            [Account test]
            localrepository = here
            remoterepository = there
            [Repository here]
            type = Maildir
            localfolders = {_directory.FullName}/mail
            [Repository there]
            type = IMAP
            remotehost = 127.0.0.1
            remoteport = {server.Imap.Port}
            remoteuser = {user}
            remotepass = {MailServer.Password}
            ssl = no
            starttls = no
            auth_mechanisms = PLAIN

            """);
        string output = await Program.SucceedAsync("offlineimap", ["-o", "-u", "basic", "-c", configuration], environment: new Dictionary<string, string> { ["HOME"] = _directory.FullName });
        Assert.DoesNotContain("ERROR", output);
    }
}
