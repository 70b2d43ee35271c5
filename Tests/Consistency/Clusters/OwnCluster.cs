using System.Collections.Concurrent;
using System.Net;
using MailCluster.Consistency.History;
using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Private;
using MailCluster.Storage.Schema;
using MailCluster.Tests.Support;
using Npgsql;

namespace MailCluster.Consistency.Clusters;

/// <summary>The process of a node ended, though nothing was done to it.</summary>
/// <param name="Words">The last lines that it printed.</param>
internal sealed record FalseDeath(string Node, int ExitCode, string Words);

/// <summary>
/// A cluster of processes over a private PostgreSQL, in a temporary directory. Disposing takes all of it down, however far its start had come.
/// </summary>
internal sealed class OwnCluster(ClusterPlan plan, Action<string> progress) : IAsyncDisposable
{
    private const int _starts = 3;
    private const string Tenant = "test";
    private const string GuestTenant = "guests";

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(2);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("mailcluster-check-");
    private readonly List<ClusterNode> _nodes = [];
    private readonly ConcurrentQueue<FalseDeath> _deaths = [];
    private readonly ConcurrentQueue<string> _failedStarts = [];
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private NodeNetwork? _network;
    private PrivatePostgres? _single;
    private TestAccounts? _accounts;
    private volatile bool _ends;
    private int _consents;

    public ClusterPlan Plan => plan;

    public IReadOnlyList<ClusterNode> Nodes => _nodes;

    public IReadOnlyList<ClusterNode> Silos => [.. _nodes.Where(static n => n.HasOwners)];

    public IReadOnlyList<ClusterNode> FrontEnds => [.. _nodes.Where(static n => n.HasDoors)];

    public NodeNetwork? Network => _network;

    /// <summary>The pair, where the plan has a standby.</summary>
    public PostgresPair? Pair { get; private set; }

    /// <summary>The PostgreSQL that takes writes.</summary>
    public PrivatePostgres Postgres => Pair?.Primary ?? _single ?? throw new InvalidOperationException("PostgreSQL was not started.");

    public string ConnectionString => Pair?.ConnectionString("cluster") ?? Postgres.ConnectionString("cluster");

    public IReadOnlyList<(string User, string Password)> Accounts { get; private set; } = [];

    /// <summary>Those of them that are another tenant's.</summary>
    public IReadOnlyList<string> Guests => [.. Accounts.Skip(plan.Accounts - plan.Guests).Select(static a => a.User)];

    /// <summary>Nodes that ended before they were ready, and were started again.</summary>
    public IReadOnlyCollection<string> FailedStarts => _failedStarts;

    /// <summary>What ended without a reason, since the start.</summary>
    public IReadOnlyCollection<FalseDeath> Deaths => _deaths;

    /// <exception cref="CheckException">It can't be had here; a sentence for the user.</exception>
    public async Task StartAsync(CancellationToken stop)
    {
        if (PostgresPrograms.Find() is null)
            throw new CheckException($"PostgreSQL's server programs are not installed: run '{PostgresPrograms.HowToInstall}'.");
        if (plan.Network)
            _network = await NodeNetwork.CreateAsync();
        progress("starting PostgreSQL" + (plan.Standby ? " and its standby" : ""));
        await StartPostgresAsync();
        stop.ThrowIfCancellationRequested();
        await Postgres.ExecuteAsync("CREATE DATABASE cluster");
        await using (var dataSource = NpgsqlDataSource.Create(Postgres.ConnectionString("cluster") + ";Pooling=false"))
            await SchemaMigrator.MigrateAsync(dataSource);
        _accounts = await TestAccounts.CreateAsync(ConnectionString);
        var accounts = new List<(string, string)>();
        for (int i = 0; i < plan.Accounts; i++)
            accounts.Add((await _accounts.AddAsync(tenant: i < plan.Accounts - plan.Guests ? Tenant : GuestTenant), TestAccounts.Password));
        foreach (string tenant in plan.Guests > 0 ? (string[])[Tenant, GuestTenant] : [Tenant])
        {
            // Sessions of POP3 meet one another, too, and none waits for the lease of a front end that was killed.
            if ((await _accounts.Tenants.SetAsync(tenant, null, null, null, null, pop3Lock: false)).Error is { } refused)
                throw new CheckException(refused.Text);
            // A name without a space needs no quotes.
            await _accounts.Tenants.SetNamespacesAsync(tenant, SharedNames.Namespace, null);
        }
        foreach ((string user, _) in accounts)
            await _accounts.FilterAsync(user, Workload.Deeds.Delivering.Filter);
        Accounts = accounts;
        for (int i = 1; i <= plan.Silos; i++)
            await AddAsync($"silo-{i}", plan.OneRole ? "all" : "silo");
        for (int i = 1; !plan.OneRole && i <= plan.FrontEnds; i++)
            await AddAsync($"front-{i}", "frontend");
        progress($"starting {string.Join(", ", _nodes)}");
        await WholeAsync(stop);
    }

    /// <summary>
    /// Both tenants say that they share, or one of them, now this one and now the other, takes it back; false where PostgreSQL did not answer.
    /// </summary>
    public async Task<bool> ConsentAsync(bool given)
    {
        TenantStore tenants = _accounts!.Tenants;
        (string one, string other) = Interlocked.Increment(ref _consents) % 4 < 2 ? (Tenant, GuestTenant) : (GuestTenant, Tenant);
        try
        {
            MailError? error = given
                ? (await tenants.ShareAsync(one, other)).Error ?? (await tenants.ShareAsync(other, one)).Error
                : (await tenants.UnshareAsync(one, other)).Error;
            return error is null ? true : throw new CheckException(error.Text);
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    /// <summary>Starts what does not run, and returns when all nodes serve and know of each other.</summary>
    /// <exception cref="CheckException">That did not come about within two minutes.</exception>
    public async Task WholeAsync(CancellationToken stop)
    {
        do
        {
            // Silos first, so that no front end waits for one.
            await Task.WhenAll(Silos.Where(static n => !n.Runs).Select(n => StartNodeAsync(n, stop)));
            await Task.WhenAll(FrontEnds.Where(static n => !n.Runs).Select(n => StartNodeAsync(n, stop)));
            foreach (ClusterNode node in _nodes.ToArray())
            {
                await UntilAsync(
                    $"{node} does not serve, or does not know of {Silos.Count} silos", async () => SomeHasEnded() || await KnowsAsync(node, Silos.Count), stop);
            }
        }
        // One that was cut off may end a moment after it was let in again.
        while (SomeHasEnded());

        bool SomeHasEnded() => _nodes.Any(static n => !n.Runs);
    }

    /// <summary>Waits until a silo other than this one counts it as dead.</summary>
    public Task UntilDeclaredDeadAsync(ClusterNode silo, CancellationToken stop)
    {
        ClusterNode witness = Silos.First(s => s != silo && s.Runs && !s.MayEnd);
        int alive = Silos.Count(s => s != silo && s.Runs && !s.MayEnd);
        return UntilAsync($"{silo} was not declared dead", () => CountsAsync(witness, alive), stop);
    }

    public async Task<ClusterNode> AddSiloAsync(CancellationToken stop)
    {
        ClusterNode node = await AddAsync($"silo-{Silos.Count + 1}", plan.OneRole ? "all" : "silo");
        await StartNodeAsync(node, stop);
        return node;
    }

    /// <summary>A node that has ended is no longer part of the cluster.</summary>
    public async Task ForgetAsync(ClusterNode node)
    {
        _nodes.Remove(node);
        if (node.Process is { } process)
            await process.DisposeAsync();
    }

    public async Task StartNodeAsync(ClusterNode node, CancellationToken stop)
    {
        if (node.Process is { } before)
            await before.DisposeAsync();
        string program = plan.Program ?? ServerProcess.Program;
        // A session of its own: Ctrl-C in a terminal is for the checker alone.
        string[] command = ["setsid", .. node.Space?.Enter ?? [], program];
        for (int attempt = 1; ; attempt++)
        {
            var process = ServerProcess.Start(["node", "--role", node.Role, "--config", node.Settings.Write(_directory.FullName)], plan.Environment, command);
            node.Process = process;
            try
            {
                await process.WaitForReadyAsync().WaitAsync(stop);
                node.MayEnd = false;
                _ = WatchAsync(node, process);
                return;
            }
            catch (InvalidOperationException e)
            {
                // It has no clients yet, so that no promise is broken; whatever supervises nodes starts it again, and so does this. It is told all the same.
                _failedStarts.Enqueue(node.Name);
                await process.DisposeAsync();
                if (attempt == _starts)
                    throw new CheckException($"{node} did not start in {_starts} attempts. {e.Message}");
            }
        }
    }

    /// <summary>What a node answers to GET; null where it does not.</summary>
    public async Task<string?> AskAsync(ClusterNode node, string path)
    {
        try
        {
            // Also what a node says that is not ready.
            using HttpResponseMessage response = await _http.GetAsync(new Uri(node.Http, path));
            return await response.Content.ReadAsStringAsync();
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _ends = true;
        foreach (ClusterNode node in _nodes)
        {
            if (node.Process is { } process)
                await process.DisposeAsync();
        }
        _http.Dispose();
        if (_accounts is not null)
            await _accounts.DisposeAsync();
        if (Pair is not null)
            await Pair.StopAsync();
        if (_single is not null)
            await _single.StopAsync(immediate: true);
        if (_network is not null)
            await _network.DisposeAsync();
        _directory.Delete(true);
    }

    /// <summary>Looks again and again until it is so.</summary>
    /// <exception cref="CheckException">With that sentence, after two minutes.</exception>
    public static async Task UntilAsync(string failure, Func<Task<bool>> isSo, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
        end.CancelAfter(_patience);
        try
        {
            while (!await isSo())
                await timer.WaitForNextTickAsync(end.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new CheckException($"{failure}, within {_patience.TotalMinutes:F0} minutes.");
        }
    }

    private async Task StartPostgresAsync()
    {
        string[] settings = ["max_connections=300"];
        string? network = _network?.Range;
        string address = (_network?.Gateway ?? IPAddress.Loopback).ToString();
        if (plan.Standby)
            Pair = await PostgresPair.StartAsync(_directory.FullName, settings, (address, address), network);
        else
            _single = await PrivatePostgres.StartAsync(_directory.FullName, settings, address: address, network: network);
    }

    private async Task<ClusterNode> AddAsync(string name, string role)
    {
        NodeSpace? space = _network is null ? null : await _network.AddAsync(name);
        var settings = new NodeSettings(name, ConnectionString);
        Dictionary<string, object> further = settings.Further;
        further["Shutdown:DrainSeconds"] = 10;
        further["Log:Level"] = "Warning";
        further["Maintenance:ExpungedSeconds"] = plan.ExpungedSeconds;
        further["Maintenance:EverySeconds"] = 2;
        // Mailboxes are small here: changes of a few messages are made as those of thousands are.
        further["Limits:SliceMessages"] = 2;
        // All clients have one address.
        further["Listen:TrustedNetworks:0"] = "127.0.0.0/8";
        if (space is not null)
        {
            further["Listen:TrustedNetworks:0"] = _network!.Range;
            further["Listen:AllowPlaintextLogin"] = true;
            further["Cluster:Address"] = space.Address.ToString();
            further["Listen:Imap:0"] = $"{space.Address}:{settings.ImapPort}";
            further["Listen:Pop3:0"] = $"{space.Address}:{settings.Pop3Port}";
            further["Listen:Lmtp:0"] = $"{space.Address}:{settings.LmtpPort}";
            further["Listen:Http:0"] = $"{space.Address}:{settings.HttpPort}";
        }
        var node = new ClusterNode(settings, role, space);
        _nodes.Add(node);
        return node;
    }

    private async Task WatchAsync(ClusterNode node, ServerProcess process)
    {
        await process.Exited;
        if (!_ends && !node.MayEnd && node.Process == process)
            _deaths.Enqueue(new FalseDeath(node.Name, process.ExitCode, LastWords(process)));
    }

    private static string LastWords(ServerProcess process)
    {
        string[] lines = process.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return string.Join('\n', lines.TakeLast(20));
    }

    private async Task<bool> KnowsAsync(ClusterNode node, int silos) =>
        await AskAsync(node, "/readyz") is { } answer && answer.Contains("\"ready\":true", StringComparison.Ordinal) && Counts(answer, silos);

    private async Task<bool> CountsAsync(ClusterNode node, int silos) => await AskAsync(node, "/readyz") is { } answer && Counts(answer, silos);

    private static bool Counts(string answer, int silos) => answer.Contains($"\"{silos} active\"", StringComparison.Ordinal);
}
