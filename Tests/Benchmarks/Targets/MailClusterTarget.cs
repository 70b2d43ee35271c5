using System.Net;
using MailCluster.Benchmarks.Growth;
using MailCluster.Benchmarks.Load;
using Npgsql;

namespace MailCluster.Benchmarks.Targets;

/// <summary>One node with all roles over a private PostgreSQL, or a silo and two front ends.</summary>
internal sealed class MailClusterTarget : Target
{
    /// <summary>From so many messages on they are put into the tables: by APPEND, each on the disk before the next, a hundred thousand take minutes.</summary>
    private const int Many = 2000;

    private readonly BenchCluster _cluster;
    private string _versions = "";

    private readonly bool _apart;

    private MailClusterTarget(BenchCluster cluster, bool apart) => (_cluster, _apart) = (cluster, apart);

    public override string Name => _apart ? "MailCluster, apart" : "MailCluster";

    public override string Describes =>
        $"{(_apart ? "a silo and two front ends as processes of their own" : "one node with all roles")}, .NET {Environment.Version}; {_versions} with fsync and synchronous_commit on and no other setting but max_connections; SCRAM-SHA-256 with 4,096 iterations, remembered after the first log-in";

    public override IPEndPoint Imap => new(IPAddress.Loopback, _cluster.FrontEnd.ImapPort);

    public override IPEndPoint OtherImap => new(IPAddress.Loopback, _cluster.OtherFrontEnd.ImapPort);

    public override IPEndPoint Imaps => new(IPAddress.Loopback, _cluster.FrontEnd.ImapsPort);

    public override IPEndPoint Lmtp => new(IPAddress.Loopback, _cluster.FrontEnd.LmtpPort);

    public override IPEndPoint Pop3 => new(IPAddress.Loopback, _cluster.FrontEnd.Pop3Port);

    public override IReadOnlyList<(string Name, int Process)> Parts =>
        [.. _cluster.Processes.Select(static p => (p.Role == "all" ? "node" : p.Role, p.Process)), ("PostgreSQL", _cluster.Postmaster)];

    public override string Password => BenchCluster.Password;

    /// <summary>Its database, for PostgreSQL's own figures.</summary>
    public string ConnectionString => _cluster.ConnectionString;

    /// <param name="certificate">PEM file with certificate and key.</param>
    /// <param name="apart">A silo and two front ends; otherwise one node.</param>
    public static async Task<MailClusterTarget> StartAsync(string certificate, bool apart = false)
    {
        var target = new MailClusterTarget(await BenchCluster.StartAsync(apart, certificate: certificate), apart);
        await using NpgsqlDataSource database = NpgsqlDataSource.Create(target.ConnectionString);
        await using NpgsqlCommand command = database.CreateCommand("select split_part(version(), ' (', 1)");
        target._versions = (string)(await command.ExecuteScalarAsync())!;
        return target;
    }

    public override Task RestartAsync() => _cluster.RestartAsync();

    /// <inheritdoc cref="BenchCluster.ForgetAsync"/>
    public override Task ForgetAsync() => _cluster.ForgetAsync();

    /// <summary>
    /// What was read last takes the place of all else that the front end keeps. The processes go on: what is computed at delivery is read for the first time, and not also the program compiled.
    /// </summary>
    public override async Task ForgetReadsAsync(string user)
    {
        const int Megabyte = 1 << 20, Messages = (int)(FrontEndKeeps / Megabyte) + 8;
        using ImapConnection connection = await LoggedInAsync(await MailboxAsync("other", Messages, Megabyte));
        await connection.RunAsync(ImapConnection.Command("SELECT INBOX"));
        await connection.RunAsync(ImapConnection.Command("UID FETCH 1:* BODY.PEEK[]"));
    }

    public override async Task ForgetFilesAsync(string user)
    {
        await ForgetReadsAsync(user);
        await _cluster.RestartPostgresAsync();
        // The node is connected to it again.
        using ImapConnection connection = await LoggedInAsync(user);
    }

    /// <summary>By the tables: by clients ten thousand would take half an hour.</summary>
    public override async Task<string[]> MailboxesAsync(string name, int count, int messages, int bytes)
    {
        var accounts = new StoredAccounts(_cluster.Database, name);
        await accounts.AddAsync(0, count, messages, await accounts.AddBodiesAsync(bytes));
        await new StoredMail(_cluster.Database).SettleAsync();
        return [.. Enumerable.Range(0, count).Select(accounts.User)];
    }

    public override ValueTask DisposeAsync() => _cluster.DisposeAsync();

    protected override Task<string> CreateAccountAsync(string name) => _cluster.AccountAsync();

    protected override Task FillAsync(string user, int messages, int bytes) => messages < Many
        ? base.FillAsync(user, messages, bytes)
        : _cluster.FillAsync(user, messages, Enumerable.Range(1, messages).Select(i => SampleMessages.Of(i, bytes)));
}
