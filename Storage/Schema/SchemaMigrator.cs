using Npgsql;

namespace MailCluster.Storage.Schema;

/// <summary>
/// Brings a database to the schema of this program, one numbered file after the other, and says whether a node may run on it.
/// The row of <c>schema_version</c> holds the range of code versions that the schema serves: an expand step raises the upper end,
/// a contract step the lower one as well.
/// </summary>
public static class SchemaMigrator
{
    /// <summary>The version of this program's code: the number of its last migration.</summary>
    public static int CodeVersion { get; } = SchemaMigration.All.Count == 0 ? 0 : SchemaMigration.All[^1].Number;

    // Any number that no other program uses in this database: it only has to be the same for all versions of this one.
    private const long AdvisoryLock = 0x4D61696C_53636865;

    // A step that waits for a lock makes everybody behind it wait as well, so that it gives up after some seconds; it can be run again.
    private const string LockTimeout = "SET LOCAL lock_timeout = '5s'";

    private const string Bookkeeping = """
        CREATE TABLE IF NOT EXISTS public.schema_version (
            one boolean PRIMARY KEY DEFAULT true CHECK (one), min_code integer NOT NULL, max_code integer NOT NULL);
        CREATE TABLE IF NOT EXISTS public.schema_migration (
            number integer PRIMARY KEY, name text NOT NULL, checksum text NOT NULL, applied timestamptz NOT NULL DEFAULT now());
        COMMENT ON TABLE public.schema_version IS 'The range of code versions that this schema serves; a node outside it refuses to start.';
        COMMENT ON TABLE public.schema_migration IS 'The migrations that were applied, with the SHA-256 of their text.';
        INSERT INTO public.schema_version (min_code, max_code) VALUES (0, 0) ON CONFLICT DO NOTHING;
        """;

    /// <summary>
    /// Applies what is missing. Each migration is one transaction; a session-level advisory lock lets one migrator work while others wait,
    /// then find nothing left to do. Expand steps are applied up to the first pending contract step, which needs <paramref name="contract"/>.
    /// </summary>
    /// <returns>The migrations that this call applied, in order.</returns>
    /// <exception cref="SchemaException">An applied file was changed since, the database is newer than this program, or a step failed.</exception>
    public static async Task<IReadOnlyList<SchemaMigration>> MigrateAsync(
        NpgsqlDataSource dataSource, bool contract = false, Action<SchemaMigration>? applying = null, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await ExecuteAsync(connection, $"SELECT pg_advisory_lock({AdvisoryLock})", cancellationToken);
        try
        {
            await ExecuteAsync(connection, Bookkeeping, cancellationToken);
            var applied = await ReadAppliedAsync(connection, cancellationToken);
            var done = new List<SchemaMigration>();
            foreach (var migration in Pending(applied))
            {
                // A fresh database has no older nodes: there is nobody to wait for.
                if (migration.Contract && !contract && applied.Count > 0)
                {
                    break;
                }
                applying?.Invoke(migration);
                await ApplyAsync(connection, migration, cancellationToken);
                done.Add(migration);
            }
            return done;
        }
        finally
        {
            await ExecuteAsync(connection, $"SELECT pg_advisory_unlock({AdvisoryLock})", CancellationToken.None);
        }
    }

    /// <summary>Passes when this program may run on the database.</summary>
    /// <exception cref="SchemaException">It may not: the message names the command that is missing.</exception>
    public static async Task CheckAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken = default)
    {
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var exists = new NpgsqlCommand("SELECT to_regclass('public.schema_version') IS NOT NULL", connection);
        if (!(bool)(await exists.ExecuteScalarAsync(cancellationToken))!)
        {
            throw new SchemaException("The database has no schema yet: run 'mailcluster admin schema upgrade' once.");
        }
        await using var range = new NpgsqlCommand("SELECT min_code, max_code FROM public.schema_version", connection);
        await using var reader = await range.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var (min, max) = (reader.GetInt32(0), reader.GetInt32(1));
        if (CodeVersion > max)
        {
            throw new SchemaException(
                $"The database's schema serves code versions {min} to {max}, this node's is {CodeVersion}: run 'mailcluster admin schema upgrade' first.");
        }
        if (CodeVersion < min)
        {
            throw new SchemaException(
                $"The database's schema serves code versions {min} to {max}, this node's is {CodeVersion}: install the newer MailCluster on this node "
                + "('mailcluster admin schema upgrade' was run with it).");
        }
    }

    /// <summary>The migrations that a database has, by number; none where it has no schema.</summary>
    public static async Task<IReadOnlyList<(int Number, string Name, DateTime At)>> AppliedAsync(NpgsqlDataSource dataSource, CancellationToken cancellationToken = default)
    {
        var applied = new List<(int, string, DateTime)>();
        await using var connection = await dataSource.OpenConnectionAsync(cancellationToken);
        await using var exists = new NpgsqlCommand("SELECT to_regclass('public.schema_migration') IS NOT NULL", connection);
        if (!(bool)(await exists.ExecuteScalarAsync(cancellationToken))!)
        {
            return applied;
        }
        await using var command = new NpgsqlCommand("SELECT number, name, applied FROM public.schema_migration ORDER BY number", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            applied.Add((reader.GetInt32(0), reader.GetString(1), reader.GetDateTime(2)));
        }
        return applied;
    }

    private static async Task<Dictionary<int, string>> ReadAppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var applied = new Dictionary<int, string>();
        await using var command = new NpgsqlCommand("SELECT number, checksum FROM public.schema_migration", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            applied.Add(reader.GetInt32(0), reader.GetString(1));
        }
        return applied;
    }

    private static List<SchemaMigration> Pending(Dictionary<int, string> applied)
    {
        if (applied.Count > 0 && applied.Keys.Max() > CodeVersion)
        {
            throw new SchemaException($"The database has migration {applied.Keys.Max()}, this program knows {CodeVersion}: use the newer MailCluster.");
        }
        var pending = new List<SchemaMigration>();
        foreach (var migration in SchemaMigration.All)
        {
            if (!applied.TryGetValue(migration.Number, out var checksum))
            {
                pending.Add(migration);
            }
            else if (checksum != migration.Checksum)
            {
                throw new SchemaException($"Migration {migration.Number:0000}_{migration.Name} was applied to this database with another text than it has now.");
            }
        }
        return pending;
    }

    private static async Task ApplyAsync(NpgsqlConnection connection, SchemaMigration migration, CancellationToken cancellationToken)
    {
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await ExecuteAsync(connection, LockTimeout, cancellationToken);
            await ExecuteAsync(connection, migration.Sql, cancellationToken);
            await using var record = new NpgsqlCommand(
                """
                INSERT INTO public.schema_migration (number, name, checksum) VALUES ($1, $2, $3);
                """, connection);
            record.Parameters.Add(new() { Value = migration.Number });
            record.Parameters.Add(new() { Value = migration.Name });
            record.Parameters.Add(new() { Value = migration.Checksum });
            await record.ExecuteNonQueryAsync(cancellationToken);
            await using var range = new NpgsqlCommand(
                "UPDATE public.schema_version SET max_code = greatest(max_code, $1), min_code = CASE WHEN $2 THEN $1 ELSE min_code END", connection);
            range.Parameters.Add(new() { Value = migration.Number });
            range.Parameters.Add(new() { Value = migration.Contract });
            await range.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        catch (PostgresException e)
        {
            throw new SchemaException(
                $"Migration {migration.Number:0000}_{migration.Name} failed and left nothing behind: {e.MessageText} (SQLSTATE {e.SqlState}"
                + (e.Position > 0 ? $", at character {e.Position})" : ")"), e);
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
