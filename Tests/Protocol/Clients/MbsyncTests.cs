using System.Text.RegularExpressions;
using MailCluster.Tests.Support;
using MailCluster.Tests.Support.Messages;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>mbsync keeps a Maildir and an account equal, and then has nothing left to do.</summary>
public sealed class MbsyncTests(MailServer server) : IDisposable
{
    // For each side: new messages, changed flags and deletions, what went to a trash.
    private const string Nothing = "F: +0/0 *0/0 #0/0  N: +0/0 *0/0 #0/0";

    private const string State = "STATUS INBOX (MESSAGES UIDNEXT UNSEEN HIGHESTMODSEQ)";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-mbsync-");

    public void Dispose() => _directory.Delete(true);

    [Fact]
    public async Task Two_ways_and_then_nothing()
    {
        Program.Need("mbsync");
        Program.Need("script");
        string user = await server.AccountAsync();
        string maildir = Path.Combine(_directory.FullName, "INBOX");
        foreach (string part in new[] { "cur", "new", "tmp" })
            Directory.CreateDirectory(Path.Combine(maildir, part));
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        int there = 0, here = 0;
        foreach (byte[] message in Messages())
        {
            if (there <= here)
            {
                there++;
                await c.SendRaw($"a APPEND INBOX {{{message.Length}+}}\r\n");
                await c.SendBytes([.. message, .. "\r\n"u8]);
                await c.Ok("a");
            }
            else
            {
                // A Maildir has the line ends of its system.
                here++;
                string name = Path.Combine(maildir, "cur", $"1000000000.{here}.test:2,S");
                await File.WriteAllTextAsync(name, System.Text.Encoding.Latin1.GetString(message).Replace("\r\n", "\n"), System.Text.Encoding.Latin1);
            }
        }

        Assert.EndsWith($"F: +{here}/{here} *0/0 #0/0  N: +{there}/{there} *0/0 #0/0", await SyncAsync(user));
        Assert.Equal(here + there, Files(maildir).Length);
        IReadOnlyList<string> state = await c.Run("c " + State);
        Assert.Contains($"(MESSAGES {here + there} UIDNEXT {here + there + 1} UNSEEN {there} ", state[^1]);
        foreach (string folder in new[] { "Sent", "Drafts", "Trash", "Junk", "Archive" })
            Assert.True(Directory.Exists(Path.Combine(_directory.FullName, folder)), folder);
        Assert.Equal(await RemoteAsync(c), Local(maildir));

        string[] files = Files(maildir);
        Assert.EndsWith(Nothing, await SyncAsync(user));
        Assert.Equal(state, await c.Run("c " + State));
        Assert.Equal(files, Files(maildir));

        // A change of each kind on each side.
        await c.Run("d SELECT INBOX");
        await c.Run("e UID STORE 1 +FLAGS.SILENT (\\Flagged)");
        await c.Run("f UID STORE 2 +FLAGS.SILENT (\\Deleted)");
        await c.Run("g EXPUNGE");
        await c.Append("h", "Archive", "Subject: filed there\r\n\r\ntext\r\n");
        await c.Run("i UNSELECT");
        File.Delete(FileOf(maildir, 3));
        string answered = FileOf(maildir, 4);
        File.Move(answered, answered[..answered.IndexOf(":2,", StringComparison.Ordinal)] + ":2,R");
        await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "Sent", "cur", "1000000001.1.test:2,S"), "Subject: filed here\n\ntext\n");

        // A deletion counts as a change of flags; the third number is what went to a trash of its own.
        Assert.EndsWith("F: +1/1 *2/2 #0/0  N: +1/1 *2/2 #0/0", await SyncAsync(user));
        await c.Run("k EXAMINE INBOX");
        IReadOnlyList<string> flags = await c.Run("l UID FETCH 1:4 FLAGS");
        Assert.Equal(2, flags.Count);
        Assert.Contains("UID 1 FLAGS (\\Flagged)", flags[0]);
        Assert.Contains("UID 4 FLAGS (\\Answered)", flags[1]);
        Assert.Equal(await RemoteAsync(c), Local(maildir));
        Assert.Contains("* STATUS \"Sent\" (MESSAGES 1 UNSEEN 0)", await c.Run("m STATUS Sent (MESSAGES UNSEEN)"));
        Assert.Single(Files(Path.Combine(_directory.FullName, "Archive")));
        Assert.EndsWith("F", FileOf(maildir, 1));
        Assert.EndsWith(Nothing, await SyncAsync(user));
    }

    // mbsync refuses NUL, and what it cannot find the end of the header in; the largest ones would only take time.
    private static IEnumerable<byte[]> Messages() => (Corpus.Files.Count > 0 ? Corpus.Files.Select(Corpus.Read) : TroubleMessages.All.Select(static m => m.Message))
        .Where(static m => !m.Contains((byte)0) && m.AsSpan().IndexOf("\r\n\r\n"u8) > 0 && m.Length < 1_000_000 && !LoneCr(m));

    private static bool LoneCr(byte[] message) => message.Where((b, i) => b == '\r' && (i + 1 == message.Length || message[i + 1] != '\n')).Any();

    private static string[] Files(string maildir) => [.. Paths(maildir).Select(static f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];

    // Both sides number their messages; mbsync keeps the pairs, the server's first, in a file.
    private static string FileOf(string maildir, int uid)
    {
        string pair = File.ReadLines(Path.Combine(maildir, ".mbsyncstate")).First(l => l.StartsWith($"{uid} ", StringComparison.Ordinal));
        return Assert.Single(Paths(maildir), f => f.Contains($",U={pair.Split(' ')[1]}:", StringComparison.Ordinal));
    }

    private static IEnumerable<string> Paths(string maildir) => Directory.EnumerateFiles(maildir, "*.*", SearchOption.AllDirectories)
        .Where(static f => Path.GetFileName(Path.GetDirectoryName(f)) is "cur" or "new");

    // Messages as text with CRLF, without the line by which mbsync finds an upload again, in an order that both sides have.
    private static string[] Local(string maildir) =>
        [.. Paths(maildir).Select(static f => Comparable(File.ReadAllText(f, System.Text.Encoding.Latin1).Replace("\n", "\r\n"))).Order(StringComparer.Ordinal)];

    private static async Task<string[]> RemoteAsync(ImapClient c)
    {
        await c.Run("r EXAMINE INBOX");
        IReadOnlyList<string> lines = await c.Run("s UID FETCH 1:* (BODY.PEEK[])");
        return [.. lines.Select(static l => Comparable(Literal(l))).Order(StringComparer.Ordinal)];
    }

    private static string Literal(string line)
    {
        Match announcement = Regex.Match(line, @"BODY\[\] \{(\d+)\}\r\n");
        return line.Substring(announcement.Index + announcement.Length, int.Parse(announcement.Groups[1].Value));
    }

    private static string Comparable(string message) => Regex.Replace(message, "^X-TUID: [^\r]*\r\n", "", RegexOptions.Multiline);

    /// <summary>Its last line of counters, which it tells to terminals alone.</summary>
    private async Task<string> SyncAsync(string user)
    {
        string configuration = Path.Combine(_directory.FullName, "mbsyncrc");
        await File.WriteAllTextAsync(configuration, $"""
            IMAPStore server
            Host 127.0.0.1
            Port {server.Imap.Port}
            User {user}
            Pass "{MailServer.Password}"
            SSLType None
            AuthMechs LOGIN

            MaildirStore local
            Path {_directory.FullName}/
            Inbox {_directory.FullName}/INBOX
            SubFolders Verbatim

            Channel all
            Far :server:
            Near :local:
            Patterns *
            Sync All
            Create Both
            Expunge Both
            SyncState *

            """);
        string output = await Program.SucceedAsync("script", ["-qec", $"mbsync -c {configuration} -a", "/dev/null"]);
        return output.Split('\r', '\n').Last(static l => l.StartsWith("C: ", StringComparison.Ordinal)).TrimEnd();
    }
}
