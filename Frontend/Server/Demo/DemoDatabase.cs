using MailCluster.Storage.Private;
using MailCluster.Storage.Schema;
using Npgsql;

namespace MailCluster.Server.Demo;

/// <summary>The database of a demo: made, migrated and freed of dead members at every start.</summary>
internal static class DemoDatabase
{
    private const string Name = "mailcluster";

    /// <returns>The connection string.</returns>
    public static async Task<string> PrepareAsync(PrivatePostgres postgres, Action<string> progress)
    {
        await using (var server = NpgsqlDataSource.Create(postgres.ConnectionString() + ";Pooling=false"))
        {
            await using var exists = server.CreateCommand("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)");
            exists.Parameters.Add(new() { Value = Name });
            if (!(bool)(await exists.ExecuteScalarAsync())!)
            {
                await using var create = server.CreateCommand($"CREATE DATABASE {Name}");
                await create.ExecuteNonQueryAsync();
            }
        }
        var connectionString = postgres.ConnectionString(Name);
        await using var database = NpgsqlDataSource.Create(connectionString + ";Pooling=false");
        var applied = await SchemaMigrator.MigrateAsync(database, contract: true);
        if (applied.Count > 0)
        {
            progress($"applied {applied.Count} migrations");
        }
        // A demo has one node, and this is it: whoever is still written down as alive was killed.
        await using var bury = database.CreateCommand(
            """
            WITH dead AS (UPDATE orleans.membership SET status = 6 WHERE status <> 6 RETURNING deployment_id)
            UPDATE orleans.membership_version SET version = version + 1 WHERE deployment_id IN (SELECT deployment_id FROM dead)
            """);
        await bury.ExecuteNonQueryAsync();
        return connectionString;
    }
}
