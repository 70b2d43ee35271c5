using System.Diagnostics;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>mbsync carries real messages both ways, and then has nothing left to do.</summary>
public sealed class MbsyncTests(MailServer server) : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-mbsync-");

    public void Dispose() => _directory.Delete(true);

    [Fact]
    public async Task Two_ways_and_then_nothing()
    {
        Assert.SkipWhen(Corpus.Files.Count == 0, Corpus.Absent);
        string user = await server.AccountAsync();
        string maildir = Path.Combine(_directory.FullName, "INBOX");
        foreach (string part in new[] { "cur", "new", "tmp" })
            Directory.CreateDirectory(Path.Combine(maildir, part));
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        int count = 0;
        foreach (string file in Corpus.Files)
        {
            byte[] message = Corpus.Read(file);
            // mbsync refuses NUL, and what it cannot find the end of the header in.
            if (message.Contains((byte)0) || message.AsSpan().IndexOf("\r\n\r\n"u8) < 0)
                continue;
            if (count++ % 2 == 0)
            {
                await c.SendRaw($"a APPEND INBOX {{{message.Length}+}}\r\n");
                await c.SendBytes([.. message, .. "\r\n"u8]);
                await c.Ok("a");
            }
            else
            {
                await File.WriteAllBytesAsync(Path.Combine(maildir, "cur", $"{1000000000 + count}.{count}.test:2,S"), message);
            }
        }

        await SyncAsync(user);
        await c.Send("b STATUS INBOX (MESSAGES)");
        await c.Expect($"* STATUS \"INBOX\" (MESSAGES {count})", "b OK …");
        string[] files = Files(maildir);
        Assert.Equal(count, files.Length);
        IReadOnlyList<string> state = await c.Run("c STATUS INBOX (MESSAGES UIDNEXT UNSEEN HIGHESTMODSEQ)");
        await SyncAsync(user);
        Assert.Equal(state, await c.Run("c STATUS INBOX (MESSAGES UIDNEXT UNSEEN HIGHESTMODSEQ)"));
        Assert.Equal(files, Files(maildir));
    }

    private static string[] Files(string maildir) => [.. Directory.EnumerateFiles(maildir, "*.*", SearchOption.AllDirectories)
        .Where(static f => Path.GetFileName(Path.GetDirectoryName(f)) is "cur" or "new").Select(static f => Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    private async Task SyncAsync(string user)
    {
        string config = Path.Combine(_directory.FullName, "mbsyncrc");
        await File.WriteAllTextAsync(config, $"""
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

            Channel all
            Far :server:
            Near :local:
            Sync All
            Create Both
            Expunge Both
            SyncState *

            """);
        Process mbsync;
        try
        {
            mbsync = Process.Start(new ProcessStartInfo("mbsync", ["-c", config, "-a"]) { RedirectStandardError = true })!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("mbsync is not installed");
            return;
        }
        string errors = await mbsync.StandardError.ReadToEndAsync();
        await mbsync.WaitForExitAsync();
        Assert.True(mbsync.ExitCode == 0, errors);
    }
}
