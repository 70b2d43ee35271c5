using Npgsql;
using Orleans.Runtime;

namespace MailCluster.Storage;

/// <summary>A node's ways to PostgreSQL: a pool for reads and small writes, one for messages, and one for commits, so that none starves the others.</summary>
public sealed class MailDatabase : IAsyncDisposable
{
    /// <summary>Octets that are taken from a socket at a time: bodies come in batches.</summary>
    private const int ReadBuffer = 64 * 1024;

    private readonly Lazy<NpgsqlDataSource> _lanes;
    private SiloAddress? _silo;

    /// <param name="connectionString">Npgsql's form; of several hosts the primary is taken, see <see cref="PostgresPool"/>.</param>
    /// <param name="node">Named in application_name, so that a dead node's backends can be told.</param>
    /// <param name="maxConnections">The pools' size for reads and small writes; a quarter of them is for messages.</param>
    /// <param name="statementSeconds">How long a server that is there may keep a read waiting. Commits have no such limit: their outcome would be unknown.</param>
    public MailDatabase(string connectionString, string node, int maxConnections = 40, int statementSeconds = 10)
    {
        int messages = Math.Max(1, maxConnections / 4);
        Main = Build(connectionString, "main", node, maxConnections - messages, statementSeconds, ReadBuffer);
        Messages = Build(connectionString, "messages", node + " messages", messages, statementSeconds, ReadBuffer, PlanByKey);
        _lanes = new(() => Build(connectionString, "lanes", _silo is { } silo ? LaneName(silo) : node + " lane", 40, 0, more: PlanByKey, blocking: true));
    }

    public NpgsqlDataSource Main { get; }

    /// <summary>For bodies, emails and contents, which are always read by their keys: planned once for each connection, where PostgreSQL left to itself plans anew for each key.</summary>
    public NpgsqlDataSource Messages { get; }

    /// <summary>For commits alone, by threads that wait for each answer: nothing asynchronous may be done here.</summary>
    public NpgsqlDataSource Lanes => _lanes.Value;

    /// <summary>What pg_stat_activity calls a silo's commit connections; <c>mail.end_dead_backends_v1</c> composes the same.</summary>
    public static string LaneName(SiloAddress silo)
    {
        string name = $"silo {silo.Generation} lane {silo.Endpoint.Address}:{silo.Endpoint.Port}";
        return name.Length > 63 ? name[..63] : name;
    }

    /// <summary>Says whose commits these are, so that another silo can end their connections once this one is dead. Before the first use of <see cref="Lanes"/>.</summary>
    public void BelongsTo(SiloAddress silo)
    {
        if (_lanes.IsValueCreated)
            throw new InvalidOperationException("The lanes are connected already.");
        _silo = silo;
    }

    public async ValueTask DisposeAsync()
    {
        if (_lanes.IsValueCreated)
            await Lanes.DisposeAsync();
        await Messages.DisposeAsync();
        await Main.DisposeAsync();
    }

    private static NpgsqlDataSource Build(string connectionString, string name, string application, int size, int statementSeconds, int readBuffer = 8192, Action<NpgsqlConnectionStringBuilder>? more = null, bool blocking = false) =>
        PostgresPool.Open(connectionString, name, application, size, settings =>
        {
            settings.CommandTimeout = statementSeconds;
            settings.ReadBufferSize = readBuffer;
            settings.MaxAutoPrepare = 60;
            settings.AutoPrepareMinUsages = 2;
            // Nothing here leaves state in a session: resetting one at each return would be five statements for nothing.
            settings.NoResetOnClose = true;
            more?.Invoke(settings);
        }, blocking);

    /// <summary>
    /// Every access of a commit, and to a message, is by key, whatever the tables' statistics say when a connection plans it first: plans are made once, and never scan. <c>mail.commit_v3</c> says so
    /// for itself, at some cost for each call.
    /// </summary>
    private static void PlanByKey(NpgsqlConnectionStringBuilder settings) => settings.Options +=
        " -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_bitmapscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off";
}
