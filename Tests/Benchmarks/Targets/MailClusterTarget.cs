using System.Net;
using Npgsql;

namespace MailCluster.Benchmarks.Targets;

/// <summary>One node with all roles over a private PostgreSQL.</summary>
internal sealed class MailClusterTarget : Target
{
    private readonly BenchCluster _cluster;
    private string _versions = "";

    private MailClusterTarget(BenchCluster cluster) => _cluster = cluster;

    public override string Name => "MailCluster";

    public override string Describes =>
        $"one node with all roles, .NET {Environment.Version}; {_versions} with fsync and synchronous_commit on and no other setting but max_connections; SCRAM-SHA-256 with 4,096 iterations, remembered after the first log-in";

    public override IPEndPoint Imap => new(IPAddress.Loopback, _cluster.FrontEnd.ImapPort);

    public override IPEndPoint Imaps => new(IPAddress.Loopback, _cluster.FrontEnd.ImapsPort);

    public override IPEndPoint Lmtp => new(IPAddress.Loopback, _cluster.FrontEnd.LmtpPort);

    public override IReadOnlyList<(string Name, int Process)> Parts => [("node", _cluster.FrontEndProcess.Id), ("PostgreSQL", _cluster.Postmaster)];

    public override string Password => BenchCluster.Password;

    /// <summary>Its database, for PostgreSQL's own figures.</summary>
    public string ConnectionString => _cluster.ConnectionString;

    /// <param name="certificate">PEM file with certificate and key.</param>
    public static async Task<MailClusterTarget> StartAsync(string certificate)
    {
        var target = new MailClusterTarget(await BenchCluster.StartAsync(apart: false, certificate: certificate));
        await using NpgsqlDataSource database = NpgsqlDataSource.Create(target.ConnectionString);
        await using NpgsqlCommand command = database.CreateCommand("select split_part(version(), ' (', 1)");
        target._versions = (string)(await command.ExecuteScalarAsync())!;
        return target;
    }

    public override Task RestartAsync() => _cluster.RestartAsync();

    /// <summary>As after a repair: the claims of large mailboxes are over, their owners are told, and start anew.</summary>
    public override async Task ForgetAsync()
    {
        await using NpgsqlDataSource database = NpgsqlDataSource.Create(ConnectionString);
        await using NpgsqlCommand command = database.CreateCommand(
            """
            with ended as (update mail.mailbox set epoch = epoch + 1 where messages >= 1000 returning account_id, id, epoch)
            select pg_notify('mailcluster_owner', json_build_object('mailbox', account_id || '/' || id, 'epoch', epoch - 1, 'end', false)::text) from ended
            """);
        await command.ExecuteNonQueryAsync();
        // The notice is on its way.
        await Task.Delay(100);
    }

    public override ValueTask DisposeAsync() => _cluster.DisposeAsync();

    protected override Task<string> CreateAccountAsync(string name) => _cluster.AccountAsync();
}
