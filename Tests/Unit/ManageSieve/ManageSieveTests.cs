using System.Text;
using MailCluster.Contracts;
using MailCluster.ManageSieve;
using MailCluster.Tests.Unit.Cluster;
using MailCluster.Tests.Unit.Net;
using Xunit;
using static MailCluster.Tests.Unit.ManageSieve.SieveDoor;

namespace MailCluster.Tests.Unit.ManageSieve;

/// <summary>RFC 5804: its examples, and what is answered to mistakes.</summary>
public sealed class ManageSieveTests
{
    [Fact]
    public async Task Capabilities_are_told_at_the_beginning_and_when_asked()
    {
        await using SieveDoor door = await SieveDoor.OpenAsync();
        using Peer peer = await door.ConnectAsync();
        List<string> lines = await SayAsync(peer, "Capability", "OK");
        Assert.Contains("\"IMPLEMENTATION\" \"MailCluster\"", lines);
        Assert.Contains("\"VERSION\" \"1.0\"", lines);
        Assert.Contains("\"NOTIFY\" \"mailto\"", lines);
        Assert.Contains("\"MAXREDIRECTS\" \"4\"", lines);
        Assert.Contains(lines, static l => l.StartsWith("\"SASL\" \"") && l.Contains("PLAIN"));
        Assert.Contains(lines, static l => l.StartsWith("\"SIEVE\" \"fileinto reject") && l.Contains(" vacation "));
        Assert.DoesNotContain("\"STARTTLS\"", lines);
        Assert.DoesNotContain(lines, static l => l.StartsWith("\"OWNER\""));
        using Peer user = await door.LoggedInAsync();
        Assert.Contains("\"OWNER\" \"alice@demo.test\"", await SayAsync(user, "CAPABILITY", "OK"));
        await using SieveDoor closed = await SieveDoor.OpenAsync(new ManageSieveOptions());
        using Peer other = await closed.ConnectAsync();
        lines = await SayAsync(other, "CAPABILITY", "OK");
        Assert.DoesNotContain(lines, static l => l.Contains("vacation") || l.Contains("NOTIFY"));
    }

    [Fact]
    public async Task STARTTLS_tells_the_capabilities_anew_and_nothing_may_follow_it()
    {
        await using SieveDoor door = await SieveDoor.OpenAsync(tls: true);
        using Peer peer = await door.ConnectAsync();
        Assert.Contains("\"STARTTLS\"", await SayAsync(peer, "CAPABILITY", "OK"));
        await SayAsync(peer, "StartTls", "OK");
        await peer.StartTlsAsync();
        Assert.DoesNotContain("\"STARTTLS\"", await UntilOkAsync(peer));
        await SayAsync(peer, "STARTTLS", "NO");
        await SayAsync(peer, $"AUTHENTICATE \"plain\" {{{Base64("secret").Length}+}}\r\n{Base64("secret")}", "OK");
        using Peer injected = await door.ConnectAsync();
        await injected.SendAsync("STARTTLS\r\nNOOP\r\n");
        Assert.StartsWith("BYE", await injected.LineAsync());
        Assert.True(await injected.IsClosedAsync());
    }

    [Fact]
    public async Task AUTHENTICATE_with_and_without_an_initial_response()
    {
        await using SieveDoor door = await SieveDoor.OpenAsync();
        using Peer peer = await door.ConnectAsync();
        await SayAsync(peer, "LISTSCRIPTS", "NO \"Log in first\"");
        await SayAsync(peer, "Authenticate \"DIGEST-MD5\"", "NO");
        await SayAsync(peer, "AUTHENTICATE \"PLAIN\" \"*\"", "NO \"Cancelled\"");
        await SayAsync(peer, "AUTHENTICATE \"PLAIN\" \"?\"", "NO \"The response is not base64\"");
        await peer.SendAsync("AUTHENTICATE \"PLAIN\"\r\n");
        Assert.Equal("\"\"", await peer.LineAsync());
        await SayAsync(peer, $"\"{Base64("secret")}\"", "OK");
        await SayAsync(peer, "AUTHENTICATE \"PLAIN\"", "NO \"You are logged in already\"");
        await SayAsync(peer, "UNAUTHENTICATE", "OK");
        await SayAsync(peer, "LISTSCRIPTS", "NO \"Log in first\"");
        await SayAsync(peer, $"AUTHENTICATE \"PLAIN\" \"{Base64("secret")}\"", "OK");
        await SayAsync(peer, "Logout", "OK");
        Assert.True(await peer.IsClosedAsync());
    }

    /// <summary>PostgreSQL has no text with a NUL: it must not be asked about one.</summary>
    [Theory]
    [InlineData("SETACTIVE {3+}\r\na\0b")]
    [InlineData("GETSCRIPT {3+}\r\na\0b")]
    [InlineData("DELETESCRIPT {3+}\r\na\0b")]
    [InlineData("RENAMESCRIPT {3+}\r\na\0b \"c\"")]
    public async Task No_script_has_a_NUL_in_its_name(string command)
    {
        await using SieveDoor door = await SieveDoor.OpenAsync();
        using Peer peer = await door.LoggedInAsync();
        await SayAsync(peer, command, "NO \"A script's name has 1 to 128 characters");
    }

    [Fact]
    public async Task A_log_in_has_one_time_for_all_that_comes()
    {
        var time = new ManualTime();
        await using SieveDoor door = await SieveDoor.OpenAsync(new ManageSieveOptions { LoginTimeout = TimeSpan.FromHours(1) }, time: time);
        using Peer peer = await door.ConnectAsync();
        await peer.SendAsync("AUTHENTICATE \"PLAIN\" {50000+}\r\n");
        // The literal would be waited for an hour from each of its octets on.
        time.Advance(TimeSpan.FromHours(1));
        await peer.SendAsync("AAAA");
        Assert.Equal("BYE \"You took too long to log in\"", await peer.LineAsync());
        Assert.True(await peer.IsClosedAsync());
    }

    [Fact]
    public async Task Guessing_ends_the_connection()
    {
        await using SieveDoor door = await SieveDoor.OpenAsync();
        using Peer peer = await door.ConnectAsync();
        await SayAsync(peer, $"AUTHENTICATE \"PLAIN\" \"{Base64("a")}\"", "NO \"Authentication failed.\"");
        await SayAsync(peer, $"AUTHENTICATE \"PLAIN\" \"{Base64("b")}\"", "NO \"Authentication failed.\"");
        await SayAsync(peer, $"AUTHENTICATE \"PLAIN\" \"{Base64("c")}\"", "BYE \"Too many failed log-ins\"");
        Assert.True(await peer.IsClosedAsync());
    }

    [Fact]
    public async Task Scripts_come_and_go()
    {
        await using SieveDoor door = await SieveDoor.OpenAsync();
        using Peer peer = await door.LoggedInAsync();
        // RFC 5804 §2.6, §2.12
        await SayAsync(peer, "Putscript \"foo\" {31+}\r\n#comment\r\nInvalidSieveCommand\r\n", "NO \"line 3, column 1: ';' or '{' is expected here");
        const string Script = "/* Test redirect */\r\nrequire [\"fileinto\"];\r\nif true { fileinto \"INBOX.test\"; }\r\n";
        await SayAsync(peer, $"PUTSCRIPT \"mysievescript\" {{{Script.Length}+}}\r\n{Script}", "OK");
        await SayAsync(peer, "PUTSCRIPT \"quoted \\\"ü\\\"\" \"keep;\"", "OK");
        await peer.SendAsync("CHECKSCRIPT {11+}\r\nstop; keep;\r\n");
        Assert.Equal("OK (WARNINGS) \"line 1, column 7: 'keep' and what follows it here is never reached\"", await peer.LineAsync());
        await SayAsync(peer, "CHECKSCRIPT \"redirect;\"", "NO \"line 1");
        // §2.7 to §2.11
        await SayAsync(peer, "SETACTIVE \"mysievescript\"", "OK");
        Assert.Equal(["\"mysievescript\" ACTIVE", "\"quoted \\\"Ã¼\\\"\""], await SayAsync(peer, "LISTSCRIPTS", "OK"));
        Assert.Equal([$"{{{Script.Length}}}", .. Script.Split("\r\n")], await SayAsync(peer, "Getscript \"mysievescript\"", "OK"));
        await SayAsync(peer, "GETSCRIPT \"baz\"", "NO (NONEXISTENT) ");
        await SayAsync(peer, "SETACTIVE \"baz\"", "NO (NONEXISTENT) ");
        await SayAsync(peer, "DELETESCRIPT \"mysievescript\"", "NO (ACTIVE) ");
        await SayAsync(peer, "RENAMESCRIPT \"mysievescript\" \"quoted \\\"ü\\\"\"", "NO (ALREADYEXISTS) ");
        await SayAsync(peer, "RENAMESCRIPT \"baz\" \"bar\"", "NO (NONEXISTENT) ");
        await SayAsync(peer, "RENAMESCRIPT \"mysievescript\" \"bar\"", "OK");
        Assert.Contains("\"bar\" ACTIVE", await SayAsync(peer, "LISTSCRIPTS", "OK"));
        await SayAsync(peer, "SETACTIVE \"\"", "OK");
        await SayAsync(peer, "DELETESCRIPT \"bar\"", "OK");
        Assert.Null(door.Scripts.Active);
    }

    [Fact]
    public async Task Quotas_are_told_with_their_codes()
    {
        await using SieveDoor door = await SieveDoor.OpenAsync(new ManageSieveOptions { Quota = new ScriptQuota(2, 100) });
        using Peer peer = await door.LoggedInAsync();
        // RFC 5804 §2.5
        await SayAsync(peer, "HAVESPACE \"myscript\" 999999", "NO (QUOTA/MAXSIZE) ");
        await SayAsync(peer, "HAVESPACE \"foobar\" 35", "OK");
        await SayAsync(peer, "HAVESPACE \"foobar\" 101", "NO (QUOTA) ");
        await SayAsync(peer, "HAVESPACE \"foobar\" \"35\"", "NO \"The size is a number\"");
        await SayAsync(peer, "PUTSCRIPT \"a\" \"keep;\"", "OK");
        await SayAsync(peer, "PUTSCRIPT \"b\" \"keep;\"", "OK");
        await SayAsync(peer, "PUTSCRIPT \"c\" \"keep;\"", "NO (QUOTA/MAXSCRIPTS) ");
        await SayAsync(peer, $"PUTSCRIPT \"a\" {{120+}}\r\n{"keep;",-120}", "NO (QUOTA) ");
        // Larger than any script: read over, and the connection goes on.
        await SayAsync(peer, $"PUTSCRIPT \"a\" {{80000+}}\r\n{new string(' ', 80_000)}", "NO (QUOTA/MAXSIZE) ");
        await SayAsync(peer, "NOOP", "OK");
        await SayAsync(peer, "PUTSCRIPT \"a\" {999999999+}", "BYE");
        Assert.Equal("keep;", Encoding.ASCII.GetString(door.Scripts.Sources["a"]));
    }

    [Fact]
    public async Task Why_the_filter_failed_last_is_told_with_the_list()
    {
        await using SieveDoor door = await SieveDoor.OpenAsync();
        door.Scripts.Failure = "fileinto: there is no mailbox 'x'";
        using Peer peer = await door.LoggedInAsync();
        await peer.SendAsync("LISTSCRIPTS\r\n");
        Assert.Equal("OK \"The active script failed last at 2026-03-04 05:06:07 UTC: fileinto: there is no mailbox 'x'\"", await peer.LineAsync());
    }

    [Fact]
    public async Task NOOP_gives_its_tag_back()
    {
        await using SieveDoor door = await SieveDoor.OpenAsync();
        using Peer peer = await door.ConnectAsync();
        await SayAsync(peer, "NOOP", "OK \"Nothing done\"");
        // RFC 5804 §2.13
        await SayAsync(peer, "NOOP \"STARTTLS-SYNC-42\"", "OK (TAG \"STARTTLS-SYNC-42\") \"Done\"");
        await peer.SendAsync("NOOP {3+}\r\na\r\n\r\n");
        Assert.Equal("OK (TAG {3}", await peer.LineAsync());
        Assert.Equal("a", await peer.LineAsync());
        Assert.Equal(") \"Done\"", await peer.LineAsync());
    }

    [Theory]
    [InlineData("", "NO \"A command is expected\"")]
    [InlineData("FROB", "NO \"This command is not known\"")]
    [InlineData("NOOP \"a", "NO \"A string does not end\"")]
    [InlineData("NOOP a", "NO \"A string or a number is expected\"")]
    [InlineData("NOOP\"a\"", "NO \"A space is expected")]
    [InlineData("NOOP \"a\" \"b\"", "NO \"Usage: NOOP")]
    [InlineData("NOOP 1", "NO \"A tag is a string")]
    [InlineData("NOOP {x+}", "NO \"A literal is expected")]
    [InlineData("FROB {3+}\r\nabc", "NO \"This command is not known\"")]
    [InlineData("NOOP a {3+}\r\nabc", "NO \"A string or a number is expected\"")]
    [InlineData("\"NOOP\"", "NO \"A command is expected\"")]
    public async Task What_is_wrong_is_answered_with_NO(string line, string answer)
    {
        await using SieveDoor door = await SieveDoor.OpenAsync();
        using Peer peer = await door.ConnectAsync();
        await SayAsync(peer, line, answer);
        await SayAsync(peer, "NOOP", "OK");
    }

    [Fact]
    public async Task Too_many_mistakes_end_the_connection()
    {
        await using SieveDoor door = await SieveDoor.OpenAsync();
        using Peer peer = await door.ConnectAsync();
        await SayAsync(peer, "FROB", "NO");
        await SayAsync(peer, "FROB", "NO");
        await SayAsync(peer, "FROB", "BYE \"Too many errors\"");
        Assert.True(await peer.IsClosedAsync());
        using Peer other = await door.ConnectAsync();
        await SayAsync(other, new string('a', 20_000), "NO \"The line is too long\"");
        await SayAsync(other, "NOOP", "OK");
    }

    [Fact]
    public async Task Names_are_names()
    {
        await using SieveDoor door = await SieveDoor.OpenAsync();
        using Peer peer = await door.LoggedInAsync();
        foreach (string name in new[] { "\"\"", "\"a\tb\"", $"\"{new string('x', 129)}\"", "{1+}\r\n\u0001" })
            await SayAsync(peer, $"PUTSCRIPT {name} \"keep;\"", "NO \"A script's name");
        Assert.Empty(door.Scripts.Sources);
    }

    [Fact]
    public async Task An_outage_is_TRYLATER_and_a_shutdown_BYE()
    {
        await using SieveDoor door = await SieveDoor.OpenAsync();
        using Peer peer = await door.LoggedInAsync();
        door.Scripts.Outage = new StoreUnavailableException("away");
        await SayAsync(peer, "LISTSCRIPTS", "NO (TRYLATER) ");
        Task drained = door.DrainAsync();
        Assert.Equal("BYE (TRYLATER) \"The server is shutting down\"", await peer.LineAsync());
        await drained;
    }

    private static string Base64(string password) => Convert.ToBase64String(Encoding.UTF8.GetBytes($"\0alice@demo.test\0{password}"));
}
