using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>alpine, at whose screen a script looks and whose keys it presses; what it did is looked at over IMAP.</summary>
public sealed class AlpineTests(MailServer server) : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("mailcluster-alpine-");

    public void Dispose() => _home.Delete(true);

    [Fact]
    public async Task Reads_and_deletes()
    {
        Program.Need("alpine");
        string user = await server.AccountAsync();
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        foreach (string subject in new[] { "to delete", "to read", "to leave" })
            await c.Append("a", "INBOX", $"From: a@example.org\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\nSubject: {subject}\r\n\r\nThe text of what is {subject}\r\n");
        string configuration = Path.Combine(_home.FullName, "pinerc");
        await File.WriteAllTextAsync(configuration, $$"""
            last-version-used=9.99
            inbox-path={127.0.0.1:{{server.Imap.Port}}/notls/user={{user}}}INBOX
            user-domain=example.org
            feature-list=quit-without-confirm,expunge-without-confirm

            """);

        await Program.SucceedAsync(
            "python3",
            [
                Path.Combine(AppContext.BaseDirectory, "Clients", "alpine_session.py"), configuration,
                "ENTER PASSWORD", MailServer.Password + "\\r", "Preserve password", "n", "to leave", "d", "marked for deletion", "v", "The text of what is to read", "q",
            ],
            environment: new Dictionary<string, string> { ["HOME"] = _home.FullName });

        await c.Run("b EXAMINE INBOX");
        Assert.Equal(["* 1 FETCH (UID 2 FLAGS (\\Seen))", "* 2 FETCH (UID 3 FLAGS ())"], await c.Run("c FETCH 1:* (UID FLAGS)"));
    }
}
