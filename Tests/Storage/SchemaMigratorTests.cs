using MailCluster.Storage.Schema;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage;

public sealed class SchemaMigratorTests(PostgresFixture postgres)
{
    [Fact]
    public async Task A_fresh_database_gets_every_migration_and_then_passes_the_check()
    {
        await using var database = await EmptyAsync();
        var applied = await SchemaMigrator.MigrateAsync(database);
        Assert.Equal(SchemaMigration.All.Select(m => m.Number), applied.Select(m => m.Number));
        await SchemaMigrator.CheckAsync(database);
    }

    [Fact]
    public async Task A_second_run_does_nothing()
    {
        await using var database = await EmptyAsync();
        await SchemaMigrator.MigrateAsync(database);
        Assert.Empty(await SchemaMigrator.MigrateAsync(database));
    }

    [Fact]
    public async Task Of_several_at_once_one_works_and_the_others_find_it_done()
    {
        await using var database = await EmptyAsync();
        var runs = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => SchemaMigrator.MigrateAsync(database))));
        Assert.Equal(SchemaMigration.All.Count, runs.Sum(r => r.Count));
        Assert.Single(runs, r => r.Count > 0);
    }

    [Fact]
    public async Task A_database_without_schema_is_refused_with_the_command_that_is_missing()
    {
        await using var database = await EmptyAsync();
        var refused = await Assert.ThrowsAsync<SchemaException>(() => SchemaMigrator.CheckAsync(database));
        Assert.Contains("'mailcluster admin schema upgrade'", refused.Message);
    }

    [Fact]
    public async Task An_older_schema_is_refused_with_the_command_that_is_missing()
    {
        await using var database = await EmptyAsync();
        await SchemaMigrator.MigrateAsync(database);
        await ExecuteAsync(database, "UPDATE public.schema_version SET max_code = max_code - 1");
        var refused = await Assert.ThrowsAsync<SchemaException>(() => SchemaMigrator.CheckAsync(database));
        Assert.Contains("'mailcluster admin schema upgrade'", refused.Message);
    }

    [Fact]
    public async Task A_schema_that_needs_newer_code_refuses_this_node()
    {
        await using var database = await EmptyAsync();
        await SchemaMigrator.MigrateAsync(database);
        await ExecuteAsync(database, "UPDATE public.schema_version SET max_code = max_code + 5, min_code = max_code + 1");
        var refused = await Assert.ThrowsAsync<SchemaException>(() => SchemaMigrator.CheckAsync(database));
        Assert.Contains("install the newer MailCluster", refused.Message);
    }

    [Fact]
    public async Task A_migration_whose_text_changed_since_is_refused()
    {
        await using var database = await EmptyAsync();
        await SchemaMigrator.MigrateAsync(database);
        await ExecuteAsync(database, "UPDATE public.schema_migration SET checksum = 'another' WHERE number = 1");
        var refused = await Assert.ThrowsAsync<SchemaException>(() => SchemaMigrator.MigrateAsync(database));
        Assert.Contains("0001_orleans", refused.Message);
    }

    [Fact]
    public async Task A_migration_that_fails_leaves_nothing_and_names_itself()
    {
        await using var database = await EmptyAsync();
        await ExecuteAsync(database, "CREATE SCHEMA orleans");
        var failed = await Assert.ThrowsAsync<SchemaException>(() => SchemaMigrator.MigrateAsync(database));
        Assert.Contains("0001_orleans", failed.Message);
        await ExecuteAsync(database, "DROP SCHEMA orleans");
        Assert.Equal(SchemaMigration.All.Count, (await SchemaMigrator.MigrateAsync(database)).Count);
    }

    private async Task<NpgsqlDataSource> EmptyAsync() => NpgsqlDataSource.Create(await postgres.CreateEmptyDatabaseAsync());

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
