using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>neomutt, whose keys are pressed by its own "push"; what it did is looked at over IMAP.</summary>
public sealed class NeomuttTests(MailServer server) : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("mailcluster-neomutt-");

    public void Dispose() => _home.Delete(true);

    [Fact]
    public async Task Flags_saves_deletes_and_reads()
    {
        Program.Need("neomutt");
        Program.Need("script");
        string user = await server.AccountAsync();
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        foreach (string subject in new[] { "to flag", "to save", "to delete", "to read", "to leave" })
            await c.Append("a", "INBOX", $"From: a@example.org\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\nSubject: {subject}\r\n\r\nText\r\n");

        await PressAsync(
            user,
            "<search>~s\\\"to\\ flag\\\"<enter><flag-message>",
            "<search>~s\\\"to\\ save\\\"<enter><save-message>=Archive<enter>",
            "<search>~s\\\"to\\ delete\\\"<enter><delete-message>",
            "<search>~s\\\"to\\ read\\\"<enter><display-message><exit>",
            "<sync-mailbox><quit>");

        await c.Run("b EXAMINE INBOX");
        Assert.Equal(["* 1 FETCH (UID 1 FLAGS (\\Flagged))", "* 2 FETCH (UID 4 FLAGS (\\Seen))", "* 3 FETCH (UID 5 FLAGS ())"], await c.Run("c FETCH 1:* (UID FLAGS)"));
        await c.Run("d EXAMINE Archive");
        Assert.Contains("* SEARCH 1", await c.Run("e SEARCH SUBJECT \"to save\""));
    }

    private async Task PressAsync(string user, params string[] keys)
    {
        string configuration = Path.Combine(_home.FullName, "neomuttrc");
        await File.WriteAllTextAsync(configuration, $"""
            set folder = "imap://127.0.0.1:{server.Imap.Port}/"
            set spoolfile = "imap://127.0.0.1:{server.Imap.Port}/INBOX"
            set imap_user = "{user}"
            set imap_pass = "{MailServer.Password}"
            set ssl_starttls = no
            set ssl_force_tls = no
            set header_cache = ""
            set message_cachedir = ""
            set record = ""
            set sort = mailbox-order
            set pager = "builtin"
            set confirmappend = no
            set delete = yes
            set quit = yes
            set mark_old = no
            set sleep_time = 0
            push "{string.Concat(keys)}"

            """);
        // It insists on a terminal, which "script" lends it.
        await Program.SucceedAsync(
            "script", ["-qec", $"neomutt -n -F {configuration} -d 2 -l {_home.FullName}/debug", "/dev/null"],
            environment: new Dictionary<string, string> { ["HOME"] = _home.FullName, ["TERM"] = "xterm" });
    }
}
