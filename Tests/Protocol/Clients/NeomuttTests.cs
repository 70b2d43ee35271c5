using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>neomutt, whose keys are pressed by its own "push"; what it did is looked at over IMAP.</summary>
public sealed class NeomuttTests(MailServer server) : IDisposable
{
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("mailcluster-neomutt-");

    private string _cache = "";

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

    /// <summary>RFC 7162: what the header cache has is not fetched again, and what has changed meanwhile is known by CHANGEDSINCE. (After VANISHED (EARLIER) neomutt 20220429 says "QRESYNC failed" and reopens the mailbox: it does so with the same lines of Dovecot 2.3.19, since it counts messages anew that EXISTS has left out already.)</summary>
    [Fact]
    public async Task Its_header_cache_lasts()
    {
        Program.Need("neomutt");
        Program.Need("script");
        string user = await server.AccountAsync();
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        for (int i = 1; i <= 5; i++)
            await c.Append("a", "INBOX", $"From: a@example.org\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\nSubject: number {i}\r\n\r\nText\r\n");
        _cache = Path.Combine(_home.FullName, "headers");
        await PressAsync(user, "<quit>");
        Assert.Contains("BODY.PEEK[HEADER", await LogAsync(), StringComparison.Ordinal);

        await PressAsync(user, "<quit>");
        string log = await LogAsync();
        Assert.Contains("Evaluating cache", log, StringComparison.Ordinal);
        Assert.DoesNotContain("BODY.PEEK[HEADER", log, StringComparison.Ordinal);

        await c.Run("s SELECT INBOX");
        await c.Run("u STORE 3 +FLAGS (\\Flagged)");
        await c.Append("w", "INBOX", "From: a@example.org\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800\r\nSubject: number 6\r\n\r\nText\r\n");
        await PressAsync(user, "<search>~F<enter><copy-message>=Archive<enter>", "<search>~s6<enter><copy-message>=Archive<enter>", "<quit>");
        log = await LogAsync();
        Assert.Matches(@"UID FETCH 1:\d+ \(FLAGS\) \(CHANGEDSINCE \d+ VANISHED\)", log);
        // Of the new one alone.
        Assert.Matches(@"FETCH 6(:6)? \(UID FLAGS INTERNALDATE RFC822\.SIZE BODY\.PEEK\[HEADER", Assert.Single(log.Split('\n'), static l => l.Contains("BODY.PEEK[HEADER", StringComparison.Ordinal)));
        await c.Run("x EXAMINE Archive");
        Assert.Equal(["* SEARCH 1"], await c.Run("y SEARCH SUBJECT \"number 3\""));
        Assert.Equal(["* SEARCH 2"], await c.Run("y SEARCH SUBJECT \"number 6\""));
    }

    /// <summary>What it wrote of its last run, and takes it away.</summary>
    private async Task<string> LogAsync()
    {
        string[] logs = Directory.GetFiles(_home.FullName, "debug*");
        string text = string.Concat(await Task.WhenAll(logs.Select(static l => File.ReadAllTextAsync(l))));
        foreach (string log in logs)
            File.Delete(log);
        return text;
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
            set header_cache = "{_cache}"
            set imap_condstore = yes
            set imap_qresync = yes
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
