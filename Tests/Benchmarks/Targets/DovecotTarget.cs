using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using MailCluster.Tests.Support;

namespace MailCluster.Benchmarks.Targets;

/// <summary>A Dovecot of our own: started in the foreground with a configuration of ours, ended by its process id.</summary>
internal sealed class DovecotTarget : Target
{
    private const string Program = "/usr/sbin/dovecot";

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
        var configuration = new DovecotConfiguration(variant, directory, certificate, FreePorts.Next(), FreePorts.Next(), FreePorts.Next());
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

    protected override Task<string> CreateAccountAsync(string name) => Task.FromResult($"{name}@{DovecotConfiguration.Domain}");

    private async Task StartAsync()
    {
        _process = Process.Start(new ProcessStartInfo(Program, ["-F", "-c", Settings]))!;
        foreach (IPEndPoint door in new[] { Imap, Imaps, Lmtp })
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
