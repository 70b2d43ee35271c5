using Npgsql;

namespace MailCluster.Storage;

/// <summary>A node's ways to PostgreSQL: a pool for reads and small writes, and one of its own for commits, so that neither starves the other.</summary>
public sealed class MailDatabase : IAsyncDisposable
{
    /// <param name="connectionString">Npgsql's form; of several hosts the primary is taken, see <see cref="PostgresPool"/>.</param>
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

    private static NpgsqlDataSource Build(string connectionString, string name, string application, int size) =>
        PostgresPool.Open(connectionString, name, application, size, static settings =>
        {
            settings.MaxAutoPrepare = 60;
            settings.AutoPrepareMinUsages = 2;
            // Nothing here leaves state in a session: resetting one at each return would be five statements for nothing.
            settings.NoResetOnClose = true;
        });
}
