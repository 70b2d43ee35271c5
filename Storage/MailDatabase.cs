using Npgsql;

namespace MailCluster.Storage;

/// <summary>A node's ways to PostgreSQL: a pool for reads and small writes, and one of its own for commits, so that neither starves the other.</summary>
public sealed class MailDatabase : IAsyncDisposable
{
    /// <param name="connectionString">Npgsql's form; multi-host with Target Session Attributes=primary is honoured.</param>
    /// <param name="node">Named in application_name, so that a dead node's backends can be told.</param>
    /// <param name="maxConnections">The pool's size for reads and small writes.</param>
    public MailDatabase(string connectionString, string node, int maxConnections = 40)
    {
        Main = Build(connectionString, "main", node, maxConnections);
        Lanes = Build(connectionString, "lanes", node + " lane", 40);
    }

    public NpgsqlDataSource Main { get; }

    public NpgsqlDataSource Lanes { get; }

    public async ValueTask DisposeAsync()
    {
        await Lanes.DisposeAsync();
        await Main.DisposeAsync();
    }

    private static NpgsqlDataSource Build(string connectionString, string name, string application, int size)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString)
        {
            ApplicationName = application.Length > 63 ? application[..63] : application,
            MaxPoolSize = size,
            Timeout = 5,
            MaxAutoPrepare = 60,
            AutoPrepareMinUsages = 2,
            // Nothing here leaves state in a session: resetting one at each return would be five statements for nothing.
            NoResetOnClose = true,
            // A peer that is gone is noticed within seconds, not hours.
            TcpKeepAlive = true,
            TcpKeepAliveTime = 3,
            TcpKeepAliveInterval = 1,
        };
        // The name is what metrics call the pool.
        return new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = name }.Build();
    }
}
