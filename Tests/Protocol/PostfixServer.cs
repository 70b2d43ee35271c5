using System.Diagnostics;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol;

/// <summary>
/// A Postfix of its own: configuration, queue and ports apart from any other on the machine, all mail for test.example goes to an LMTP door.
/// Needs root, as Postfix's master does.
/// </summary>
internal sealed class PostfixServer : IAsyncDisposable
{
    private const string Programs = "/usr/lib/postfix/sbin";

    // Only against a hang.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly DirectoryInfo _directory;
    private readonly List<(Func<string, bool> Wanted, TaskCompletionSource<string> Seen)> _awaited = [];
    private readonly List<string> _lines = [];
    private Process? _postfix;
    private Process? _tail;
    private Task _reading = Task.CompletedTask;

    private PostfixServer(DirectoryInfo directory, int port) => (_directory, Port) = (directory, port);

    /// <summary>SMTP on 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Starts it, or skips the test where it can't be had.</summary>
    /// <param name="settings">Lines of main.cf, which win over those that are here.</param>
    /// <param name="port">Null: any that is free.</param>
    public static async Task<PostfixServer> StartAsync(int lmtpPort, string settings = "", int? port = null)
    {
        Assert.SkipUnless(File.Exists(Programs + "/master"), "Postfix is not installed.");
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Postfix can be started by root alone.");
        var postfix = new PostfixServer(Directory.CreateTempSubdirectory("mailcluster-postfix-"), port ?? FreePorts.Next());
        try
        {
            await postfix.RunAsync(lmtpPort, settings);
            return postfix;
        }
        catch
        {
            await postfix.DisposeAsync();
            throw;
        }
    }

    /// <summary>The line of the log that tells what became of the mail to a recipient, now or later.</summary>
    public Task<string> OutcomeAsync(string recipient) => LineAsync(l => l.Contains($"to=<{recipient}>", StringComparison.Ordinal) && l.Contains("status=", StringComparison.Ordinal));

    /// <summary>How often mail to a recipient was sent on so far.</summary>
    public int SentTo(string recipient)
    {
        lock (_lines)
            return _lines.Count(l => l.Contains($"to=<{recipient}>", StringComparison.Ordinal) && l.Contains("status=sent", StringComparison.Ordinal));
    }

    /// <summary>A line of the log with this in it, now or later.</summary>
    public Task<string> LineAsync(string part) => LineAsync(l => l.Contains(part, StringComparison.Ordinal));

    /// <summary>Makes it try at once what it has put off.</summary>
    public Task FlushAsync() => ToolAsync("flush");

    public async ValueTask DisposeAsync()
    {
        if (_postfix is { } postfix)
        {
            // The master makes itself independent of the program that starts it.
            await ToolAsync("stop");
            await postfix.WaitForExitAsync().WaitAsync(Patience);
            postfix.Dispose();
        }
        if (_tail is { } tail)
        {
            tail.Kill();
            await _reading.WaitAsync(Patience);
            tail.Dispose();
        }
        _directory.Delete(true);
    }

    private async Task RunAsync(int lmtpPort, string settings)
    {
        string root = _directory.FullName, log = Path.Combine(root, "log");
        // Its daemons run as the user postfix.
        File.SetUnixFileMode(root, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute
            | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        foreach (string name in new[] { "config", "spool", "data" })
            _directory.CreateSubdirectory(name);
        using (var chown = Process.Start("chown", ["postfix", Path.Combine(root, "data")]))
            await chown.WaitForExitAsync();
        string standard = $"""
            compatibility_level = 3.6
            queue_directory = {root}/spool
            data_directory = {root}/data
            command_directory = /usr/sbin
            daemon_directory = {Programs}
            mail_owner = postfix
            setgid_group = postdrop
            maillog_file = {log}
            maillog_file_prefixes = {root}
            inet_interfaces = 127.0.0.1
            inet_protocols = ipv4
            myhostname = mx.test.example
            mydestination =
            local_recipient_maps =
            alias_maps =
            alias_database =
            mynetworks = 127.0.0.0/8
            smtpd_relay_restrictions = permit_mynetworks, reject
            relay_domains = test.example
            relay_transport = lmtp:inet:127.0.0.1:{lmtpPort}
            default_transport = discard
            smtputf8_enable = yes
            message_size_limit = 104857600

            """;
        // Each once: each program of Postfix warns of what is set twice.
        IEnumerable<string> main = (standard + settings).Split('\n').Where(static l => l.Contains('=') && !l.StartsWith('#'))
            .GroupBy(static l => l[..l.IndexOf('=')].Trim()).Select(static setting => setting.Last());
        await File.WriteAllLinesAsync(Path.Combine(root, "config/main.cf"), main);
        await File.WriteAllTextAsync(Path.Combine(root, "config/master.cf"), $"""
            127.0.0.1:{Port} inet n - n - - smtpd
            cleanup unix n - n - 0 cleanup
            pickup unix n - n 60 1 pickup
            qmgr unix n - n 1 1 qmgr
            rewrite unix - - n - - trivial-rewrite
            bounce unix - - n - 0 bounce
            defer unix - - n - 0 bounce
            trace unix - - n - 0 bounce
            verify unix - - n - 1 verify
            flush unix n - n 1000? 0 flush
            proxymap unix - - n - - proxymap
            showq unix n - n - - showq
            lmtp unix - - n - - lmtp
            error unix - - n - - error
            retry unix - - n - - error
            discard unix - - n - - discard
            anvil unix - - n - 1 anvil
            scache unix - - n - 1 scache
            tlsmgr unix - - n 1000? 1 tlsmgr
            postlog unix-dgram n - n - 1 postlogd
            """ + "\n");
        _tail = Process.Start(new ProcessStartInfo("tail", ["--silent", "--lines=+1", "--follow=name", "--retry", log]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        _reading = Task.WhenAll(ReadAsync(_tail.StandardOutput), ReadAsync(_tail.StandardError));
        _postfix = Process.Start("postfix", ["-c", Path.Combine(root, "config"), "start-fg"]);
        await LineAsync("daemon started");
    }

    private async Task ToolAsync(string command)
    {
        using var tool = Process.Start("postfix", ["-c", Path.Combine(_directory.FullName, "config"), command]);
        await tool.WaitForExitAsync();
    }

    private async Task<string> LineAsync(Func<string, bool> wanted)
    {
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lines)
        {
            if (_lines.Find(l => wanted(l)) is { } line)
                return line;
            _awaited.Add((wanted, seen));
        }
        try
        {
            return await seen.Task.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            lock (_lines)
                throw new TimeoutException("Postfix did not say it:\n" + string.Join('\n', _lines));
        }
    }

    private async Task ReadAsync(StreamReader from)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            lock (_lines)
            {
                _lines.Add(line);
                foreach ((Func<string, bool> wanted, TaskCompletionSource<string> seen) in _awaited)
                {
                    if (wanted(line))
                        seen.TrySetResult(line);
                }
            }
        }
    }
}
