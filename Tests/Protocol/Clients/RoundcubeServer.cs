using System.Diagnostics;
using System.Net.Sockets;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>Debian's Roundcube on a lighttpd and PHP of its own: configuration, database and port apart from any other on the machine.</summary>
internal sealed class RoundcubeServer : IAsyncDisposable
{
    private const string Root = "/var/lib/roundcube/public_html";

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-roundcube-");
    private Process? _process;

    private RoundcubeServer()
    {
    }

    public string Url => $"http://127.0.0.1:{Port}/";

    private int Port { get; } = FreePorts.Next();

    /// <summary>Starts it, or skips the test where it can't be had.</summary>
    public static async Task<RoundcubeServer> StartAsync(int imapPort)
    {
        Assert.SkipUnless(File.Exists(Root + "/plugins/acl/acl.php"), "Roundcube and its plugins are not installed.");
        Assert.SkipUnless(Directory.Exists("/usr/share/php") && Directory.EnumerateFiles("/usr/lib/php", "pdo_sqlite.so", SearchOption.AllDirectories).Any(), "PHP has no SQLite.");
        Program.Need("lighttpd");
        Program.Need("php-cgi");
        var roundcube = new RoundcubeServer();
        try
        {
            await roundcube.RunAsync(imapPort);
            return roundcube;
        }
        catch
        {
            await roundcube.DisposeAsync();
            throw;
        }
    }

    /// <summary>What it complained about.</summary>
    public string Errors() => string.Concat(new DirectoryInfo(Path.Combine(_directory.FullName, "logs")).EnumerateFiles().Select(static f => File.ReadAllText(f.FullName)));

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
        _directory.Delete(true);
    }

    private async Task RunAsync(int imapPort)
    {
        string home = _directory.FullName;
        foreach (string name in new[] { "config", "temp", "logs" })
            _directory.CreateSubdirectory(name);
        await File.WriteAllTextAsync(Path.Combine(home, "config/config.inc.php"), $$"""
            <?php
            $config = [];
            $config['db_dsnw'] = 'sqlite:///{{home}}/roundcube.db?mode=0640';
            $config['imap_host'] = '127.0.0.1:{{imapPort}}';
            $config['smtp_host'] = '127.0.0.1:1';
            $config['des_key'] = 'not a secret: 24 letters';
            $config['plugins'] = ['acl'];
            $config['temp_dir'] = '{{home}}/temp';
            $config['log_dir'] = '{{home}}/logs';
            $config['language'] = 'en_US';
            """);
        // Debian keeps the defaults beside the site's own configuration.
        File.CreateSymbolicLink(Path.Combine(home, "config/defaults.inc.php"), "/etc/roundcube/defaults.inc.php");
        File.CreateSymbolicLink(Path.Combine(home, "config/mimetypes.php"), "/etc/roundcube/mimetypes.php");
        await File.WriteAllTextAsync(Path.Combine(home, "lighttpd.conf"), $$"""
            server.modules = ("mod_fastcgi")
            server.bind = "127.0.0.1"
            server.port = {{Port}}
            server.document-root = "{{Root}}"
            server.errorlog = "{{home}}/lighttpd.log"
            index-file.names = ("index.php")
            mimetype.assign = (".css" => "text/css", ".js" => "text/javascript", ".html" => "text/html", ".svg" => "image/svg+xml", ".png" => "image/png", ".gif" => "image/gif",
                ".woff2" => "font/woff2", ".woff" => "font/woff", ".json" => "application/json")
            fastcgi.server = (".php" => ((
                "bin-path" => "{{Program.Find("php-cgi")}}",
                "socket" => "{{home}}/php.sock",
                "max-procs" => 1,
                "bin-environment" => ("PHP_FCGI_CHILDREN" => "4", "PHP_FCGI_MAX_REQUESTS" => "10000", "ROUNDCUBE_CONFIG_DIR" => "{{home}}/config"))))
            """);
        _process = Process.Start(new ProcessStartInfo(Program.Find("lighttpd")!, ["-D", "-f", Path.Combine(home, "lighttpd.conf")]))!;
        for (long until = Environment.TickCount64 + (long)Program.Patience.TotalMilliseconds; ; await Task.Delay(50))
        {
            try
            {
                using var probe = new TcpClient();
                await probe.ConnectAsync("127.0.0.1", Port);
                return;
            }
            catch (SocketException) when (Environment.TickCount64 < until && !_process.HasExited)
            {
            }
        }
    }
}
