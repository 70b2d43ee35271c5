using MailCluster.Server.Configuration;
using MailCluster.Server.Hosting;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Private;

namespace MailCluster.Server.Demo;

/// <summary>Everything on one machine: a private PostgreSQL under DIR, one node with all roles, a tenant with two accounts and some mail.</summary>
internal sealed class DemoRun(string directory, int portOffset)
{
    private readonly string _directory = directory.Length > 0 ? Path.GetFullPath(directory) : throw new OptionsException("The option '--data' is empty: it names a directory.");

    /// <exception cref="OptionsException">A port is taken, or another demo runs in the directory.</exception>
    /// <exception cref="PrivatePostgresException">There is no PostgreSQL.</exception>
    public async Task RunAsync()
    {
        try
        {
            Directory.CreateDirectory(_directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OptionsException($"The directory {_directory} (option '--data') can't be made: {e.Message}");
        }
        using var only = LockDirectory();
        var options = Options();
        Ports.CheckFree(options, NodeRole.All);

        using var signals = new Signals();
        var postgres = await PrivatePostgres.StartAsync(_directory, ["max_connections=200", "shared_buffers=256MB"], Say);
        try
        {
            await ServeAsync(postgres, options, signals.Stop);
        }
        catch (OperationCanceledException) when (signals.Stop.IsCancellationRequested)
        {
        }
        finally
        {
            Say("stopping the private PostgreSQL");
            Npgsql.NpgsqlConnection.ClearAllPools();
            await postgres.StopAsync();
        }
        Say("stopped");
    }

    private async Task ServeAsync(PrivatePostgres postgres, NodeOptions options, CancellationToken cancellationToken)
    {
        options.Database.ConnectionString = await DemoDatabase.PrepareAsync(postgres, Say);
        cancellationToken.ThrowIfCancellationRequested();
        Say("starting the node");
        await using var node = await Node.BuildAsync(options, NodeRole.All);
        await node.StartAsync();
        var starting = true;
        try
        {
            var doors = node.Services.GetRequiredService<NodeState>().Doors.Select(d => d.Split(' ')).ToDictionary(d => d[0], d => d[1]);
            var file = new DemoFile
            {
                Imap = doors.GetValueOrDefault("imap"),
                Imaps = doors.GetValueOrDefault("imaps"),
                Pop3 = doors.GetValueOrDefault("pop3"),
                Pop3s = doors.GetValueOrDefault("pop3s"),
                Lmtp = doors.GetValueOrDefault("lmtp"),
                Http = doors.GetValueOrDefault("http"),
                Sieve = doors.GetValueOrDefault("sieve"),
                Database = options.Database.ConnectionString,
            };
            var accounts = new DemoAccounts(node.Services.GetRequiredService<TenantStore>(), node.Services.GetRequiredService<AccountStore>());
            (file.Accounts, var fresh) = await accounts.EnsureAsync(DemoFile.TryRead(_directory)?.Accounts ?? []);
            file.Write(_directory);
            if (file.Lmtp is { } lmtp && fresh.Count > 0)
            {
                await SampleMessages.DeliverAsync(lmtp, fresh);
            }
            Explain(file);
            Console.WriteLine("ready");
            starting = false;
            await Node.RunToEndAsync(node, cancellationToken);
        }
        finally
        {
            // Something went wrong before it served.
            if (starting)
            {
                await node.StopAsync(CancellationToken.None);
            }
        }
    }

    private NodeOptions Options()
    {
        // The ports between nodes mean nothing to anybody; the same ones at each start let the membership see the same node again.
        string At(int port) => $"127.0.0.1:{port + portOffset}";
        return new()
        {
            Name = "demo",
            Cluster = { SiloPort = Ports.FreeNear(10_111 + portOffset % 20_000), GatewayPort = Ports.FreeNear(10_112 + portOffset % 20_000) },
            Listen = { Imap = [At(143)], Imaps = [At(993)], Pop3 = [At(110)], Pop3s = [At(995)], Lmtp = [At(24)], Http = [At(80)], Sieve = [At(4190)] },
            Tls = { Certificate = DemoCertificate.Ensure(_directory) },
            Shutdown = { DrainSeconds = 10 },
        };
    }

    // Two demos on the same files would be one too many; the lock goes with the process, however it ends.
    private FileStream LockDirectory()
    {
        try
        {
            return new(Path.Combine(_directory, "demo.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new OptionsException($"Another demo is running in {_directory}.");
        }
    }

    private void Explain(DemoFile file)
    {
        Console.WriteLine();
        foreach (var (name, door) in new[]
        {
            ("IMAP (STARTTLS)", file.Imap), ("IMAP over TLS", file.Imaps), ("POP3 (STLS)", file.Pop3), ("POP3 over TLS", file.Pop3s), ("LMTP", file.Lmtp), ("ManageSieve", file.Sieve),
            ("health, metrics", file.Http),
        })
        {
            if (door is not null)
            {
                Console.WriteLine($"  {name,-16} {door}");
            }
        }
        foreach (var account in file.Accounts)
        {
            Console.WriteLine($"  {account.User,-16} {account.Password}");
        }
        Console.WriteLine($"  All of this is in {Path.Combine(_directory, "demo.json")}; the certificate is self-signed. Ctrl-C stops everything.");
        Console.WriteLine();
    }

    private static void Say(string what) => Console.WriteLine(what);
}
