using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>fetchmail, getmail6 and mpop fetch mail, in clear and over TLS, leave it or take it away, and never twice.</summary>
public sealed class Pop3ClientsTests(MailServer server) : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-pop3-");

    public enum Way
    {
        Clear,
        StartTls,
        Tls,
    }

    public void Dispose() => _directory.Delete(true);

    [Theory]
    [InlineData(Way.Clear)]
    [InlineData(Way.StartTls)]
    [InlineData(Way.Tls)]
    public async Task Fetchmail(Way way)
    {
        Program.Need("fetchmail");
        string user = await FilledAsync();
        string keep = PathOf("keep.rc"), mail = PathOf("mail");
        string tls = way switch { Way.Tls => "ssl", Way.StartTls => "sslproto \"TLS1.2+\"", _ => "sslproto \"\"" };
        await SecretAsync(keep, $"""
            set idfile "{PathOf("ids")}"
            set no bouncemail
            poll 127.0.0.1 service {PortOf(way)} protocol pop3 uidl
              user "{user}" password "{MailServer.Password}" {tls} no sslcertck
              mda "/bin/sh -c 'cat >> {mail}; echo --end-- >> {mail}'"
            """ + "\n");
        string[] run = ["--nodetach", "--nosyslog", "-v", "-f", keep];
        string output = await Program.SucceedAsync("fetchmail", [.. run, "--keep"], environment: Home());
        if (way == Way.StartTls)
            Assert.Contains("STLS", output);
        Assert.Equal(3, Mails(mail).Length);
        Assert.Contains(Mails(mail), static m => m.Contains("\n.two dots: ..\n", StringComparison.Ordinal));
        // Nothing new: exit code 1 says so.
        (int code, _) = await Program.RunAsync("fetchmail", [.. run, "--keep"], environment: Home());
        Assert.Equal((1, 3), (code, Mails(mail).Length));
        await DeliverAsync(user, "Subject: 4\r\n\r\nnew\r\n");
        await Program.SucceedAsync("fetchmail", [.. run, "--keep"], environment: Home());
        Assert.Equal(4, Mails(mail).Length);
        await Program.SucceedAsync("fetchmail", [.. run, "--nokeep", "--fetchall"], environment: Home());
        await ExpectLeftAsync(user, 0);
    }

    [Theory]
    [InlineData(Way.Clear)]
    [InlineData(Way.Tls)]
    public async Task Getmail(Way way)
    {
        Program.Need("getmail");
        string user = await FilledAsync();
        string maildir = PathOf("Maildir/");
        foreach (string part in new[] { "cur", "new", "tmp" })
            Directory.CreateDirectory(Path.Combine(maildir, part));
        // It writes no mail as root.
        string owner = Environment.IsPrivilegedProcess ? "nobody" : Environment.UserName;
        if (Environment.IsPrivilegedProcess)
        {
            await Program.SucceedAsync("chown", ["-R", owner, maildir]);
            await Program.SucceedAsync("chmod", ["755", _directory.FullName]);
        }
        string rc = PathOf("getmailrc");
        Task WriteAsync(bool delete) => SecretAsync(rc, $"""
            [retriever]
            type = {(way == Way.Tls ? "SimplePOP3SSLRetriever" : "SimplePOP3Retriever")}
            server = 127.0.0.1
            port = {PortOf(way)}
            username = {user}
            password = {MailServer.Password}
            [destination]
            type = Maildir
            path = {maildir}
            user = {owner}
            [options]
            read_all = false
            delete = {delete.ToString().ToLowerInvariant()}
            """ + "\n");
        string[] run = ["--getmaildir", _directory.FullName, "--rcfile", rc];
        int Count() => Directory.GetFiles(Path.Combine(maildir, "new")).Length;
        await WriteAsync(delete: false);
        await Program.SucceedAsync("getmail", run, environment: Home());
        Assert.Equal(3, Count());
        await Program.SucceedAsync("getmail", run, environment: Home());
        Assert.Equal(3, Count());
        await DeliverAsync(user, "Subject: 4\r\n\r\nnew\r\n");
        await WriteAsync(delete: true);
        await Program.SucceedAsync("getmail", run, environment: Home());
        Assert.Equal(4, Count());
        await ExpectLeftAsync(user, 0);
    }

    [Theory]
    [InlineData(Way.Clear)]
    [InlineData(Way.StartTls)]
    [InlineData(Way.Tls)]
    public async Task Mpop(Way way)
    {
        Program.Need("mpop");
        string user = await FilledAsync();
        string mail = PathOf("mail");
        string[] tls = way switch
        {
            Way.Tls => ["--tls=on", "--tls-starttls=off", "--tls-certcheck=off"],
            Way.StartTls => ["--tls=on", "--tls-starttls=on", "--tls-certcheck=off"],
            _ => ["--tls=off"],
        };
        string[] run =
        [
            "--host=127.0.0.1", $"--port={PortOf(way)}", $"--user={user}", $"--passwordeval=echo '{MailServer.Password}'", $"--delivery=mbox,{mail}",
            $"--uidls-file={PathOf("uidls")}", "--auth=plain", "--received-header=off", .. tls,
        ];
        await Program.SucceedAsync("mpop", [.. run, "--keep=on"], environment: Home());
        int Count() => File.ReadLines(mail).Count(static l => l.StartsWith("Subject: ", StringComparison.Ordinal));
        Assert.Equal(3, Count());
        await Program.SucceedAsync("mpop", [.. run, "--keep=on"], environment: Home());
        Assert.Equal(3, Count());
        await DeliverAsync(user, "Subject: 4\r\n\r\nnew\r\n");
        await Program.SucceedAsync("mpop", [.. run, "--keep=off"], environment: Home());
        Assert.Equal(4, Count());
        await ExpectLeftAsync(user, 0);
    }

    private int PortOf(Way way) => way == Way.Tls ? server.Pop3s.Port : server.Pop3.Port;

    private string PathOf(string name) => Path.Combine(_directory.FullName, name);

    private Dictionary<string, string> Home() => new() { ["HOME"] = _directory.FullName, ["FETCHMAILHOME"] = _directory.FullName };

    private static string[] Mails(string file) => File.ReadAllText(file).Split("--end--\n", StringSplitOptions.RemoveEmptyEntries);

    private static async Task SecretAsync(string file, string text)
    {
        await File.WriteAllTextAsync(file, text);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private async Task<string> FilledAsync()
    {
        string user = await server.AccountAsync();
        await DeliverAsync(user, "Subject: 1\r\n\r\none\r\n", "Subject: 2\r\n\r\n.two dots: ..\r\n.\r\nend\r\n", "Subject: 3\r\n\r\n" + string.Concat(Enumerable.Repeat(new string('x', 70) + "\r\n", 5000)));
        return user;
    }

    private async Task DeliverAsync(string user, params string[] messages)
    {
        await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        foreach (string message in messages)
            await imap.Append("a", "INBOX", message);
    }

    private async Task ExpectLeftAsync(string user, int count)
    {
        await using ImapClient imap = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        Assert.Contains($"(MESSAGES {count})", (await imap.Run("a STATUS INBOX (MESSAGES)"))[^1]);
    }
}
