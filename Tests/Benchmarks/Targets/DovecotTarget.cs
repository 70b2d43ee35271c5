using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using MailCluster.Benchmarks.Load;
using MailCluster.Tests.Support;

namespace MailCluster.Benchmarks.Targets;

/// <summary>A Dovecot of our own: started in the foreground with a configuration of ours, ended by its process id.</summary>
internal sealed class DovecotTarget : Target
{
    private const string Program = "/usr/sbin/dovecot";

    /// <summary>From so many messages on they are imported without a flush for each.</summary>
    private const int Many = 2000;

    private readonly DovecotVariant _variant;
    private readonly DovecotConfiguration _configuration;
    private Process? _process;

    private string Settings => Path.Combine(_configuration.Directory, "dovecot.conf");

    private DovecotTarget(DovecotVariant variant, DovecotConfiguration configuration) => (_variant, _configuration) = (variant, configuration);

    public override string Name => _variant.Name;

    public override string Describes => $"{_variant.Format}, mail_fsync={_variant.Fsync}, "
        + (_variant.Tuned ? "processes serve 10,000 connections each, 8 wait, login processes serve any number, authentication cache on, SSHA256 passwords" : "service settings as Dovecot comes, SSHA256 passwords")
        + (_variant.Hibernates ? ", IDLE connections hibernate after 1 s" : "");

    public override IPEndPoint Imap => new(IPAddress.Loopback, _configuration.Imap);

    public override IPEndPoint Imaps => new(IPAddress.Loopback, _configuration.Imaps);

    public override IPEndPoint Lmtp => new(IPAddress.Loopback, _configuration.Lmtp);

    public override IPEndPoint Pop3 => new(IPAddress.Loopback, _configuration.Pop3);

    public override IReadOnlyList<(string Name, int Process)> Parts => [("dovecot", _process!.Id)];

    public override string Password => TestAccounts.Password;

    /// <summary>Dovecot's version; null where it is not installed.</summary>
    public static async Task<string?> VersionAsync()
    {
        if (!File.Exists(Program))
            return null;
        using Process process = Process.Start(new ProcessStartInfo(Program, ["--version"]) { RedirectStandardOutput = true })!;
        string version = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return version.Trim();
    }

    /// <summary>Starts it and waits until its doors are open.</summary>
    public static async Task<DovecotTarget> StartAsync(DovecotVariant variant, string certificate)
    {
        string directory = Directory.CreateTempSubdirectory("mailcluster-dovecot-").FullName;
        // Its processes run as users of their own.
        File.SetUnixFileMode(directory, (UnixFileMode)0b111_101_101);
        var configuration = new DovecotConfiguration(variant, directory, certificate, FreePorts.Next(), FreePorts.Next(), FreePorts.Next(), FreePorts.Next());
        var target = new DovecotTarget(variant, configuration);
        try
        {
            foreach (string each in new[] { "mail", "run", "state" })
                Directory.CreateDirectory(Path.Combine(directory, each));
            if (chown(Path.Combine(directory, "mail"), DovecotConfiguration.MailUser, DovecotConfiguration.MailUser) != 0)
                throw new InvalidOperationException("Dovecot's mail belongs to a user of its own: start the comparison as root.");
            await File.WriteAllTextAsync(target.Settings, configuration.Text(TestAccounts.Password));
            await target.StartAsync();
            return target;
        }
        catch
        {
            await target.DisposeAsync();
            throw;
        }
    }

    public override async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync();
    }

    /// <summary>Its index caches keep what was read of headers and structures; the indexes themselves stay.</summary>
    public override async Task ForgetReadsAsync(string user)
    {
        await StopAsync();
        foreach (string file in Directory.EnumerateFiles(Path.Combine(_configuration.Directory, "mail"), "*index.cache", SearchOption.AllDirectories))
        {
            if (file.Contains(user.Split('@')[0], StringComparison.Ordinal))
                File.Delete(file);
        }
        await StartAsync();
    }

    public override async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(_configuration.Directory, recursive: true);
    }

    protected override async Task FillAsync(string user, int messages, int bytes)
    {
        if (messages < Many)
        {
            await base.FillAsync(user, messages, bytes);
            return;
        }
        // A maildir is what it is to be already.
        bool maildir = _variant.Format == "maildir";
        string source = maildir ? Path.Combine(_configuration.Directory, "mail", user, "Maildir") : Path.Combine(_configuration.Directory, "fill-" + user);
        foreach (string each in new[] { Path.GetDirectoryName(source)!, source, Path.Combine(source, "tmp"), Path.Combine(source, "new"), Path.Combine(source, "cur") })
        {
            Directory.CreateDirectory(each);
            if (each != _configuration.Directory)
                Own(each);
        }
        for (int i = 1; i <= messages; i++)
        {
            // The name's beginning is the order in which they are taken.
            string file = Path.Combine(source, "cur", $"{i:D10}.M{i}.bench:2,");
            await File.WriteAllBytesAsync(file, SampleMessages.Of(i, bytes));
            Own(file);
        }
        if (maildir)
            return;
        using Process import = Process.Start(new ProcessStartInfo(
            "doveadm", ["-c", Settings, "-o", "mail_fsync=never", "import", "-u", user, $"maildir:{source}", "", "mailbox", "INBOX", "all"]))!;
        await import.WaitForExitAsync();
        if (import.ExitCode != 0)
            throw new InvalidOperationException("doveadm import has failed.");
        Directory.Delete(source, recursive: true);

        static void Own(string path)
        {
            if (chown(path, DovecotConfiguration.MailUser, DovecotConfiguration.MailUser) != 0)
                throw new InvalidOperationException("Dovecot's mail belongs to a user of its own: start the comparison as root.");
        }
    }

    protected override Task<string> CreateAccountAsync(string name) => Task.FromResult($"{name}@{DovecotConfiguration.Domain}");

    private async Task StartAsync()
    {
        _process = Process.Start(new ProcessStartInfo(Program, ["-F", "-c", Settings]))!;
        foreach (IPEndPoint door in new[] { Imap, Imaps, Lmtp, Pop3 })
            await WaitForAsync(door);
    }

    private async Task StopAsync()
    {
        if (_process is not { } process)
            return;
        _process = null;
        // SIGTERM: the master ends all its processes.
        if (!process.HasExited)
            _ = kill(process.Id, 15);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
        }
        process.Dispose();
    }

    private async Task WaitForAsync(IPEndPoint door)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(door);
                return;
            }
            catch (SocketException) when (clock.Elapsed < TimeSpan.FromSeconds(20) && !_process!.HasExited)
            {
                await Task.Delay(50);
            }
            catch (SocketException)
            {
                string log = Path.Combine(_configuration.Directory, "dovecot.log");
                throw new InvalidOperationException("Dovecot did not start. " + (File.Exists(log) ? await File.ReadAllTextAsync(log) : ""));
            }
        }
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int process, int signal);

    [DllImport("libc", SetLastError = true)]
    private static extern int chown(string path, int owner, int group);
}
