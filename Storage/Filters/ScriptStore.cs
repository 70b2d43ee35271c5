using System.Security.Cryptography;
using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Npgsql;

namespace MailCluster.Storage.Filters;

/// <summary>Scripts of accounts and tenants: see <see cref="IScriptStore"/>.</summary>
public sealed class ScriptStore(NpgsqlDataSource database) : IScriptStore
{
    /// <inheritdoc/>
    public async ValueTask<ScriptList> ListAsync(AccountId account, CancellationToken cancellationToken) => await Store.Guard(async () =>
    {
        await using var command = database.CreateCommand("""
            select c.name, coalesce(c.name = s.active, false), length(c.source)::bigint, s.failure, s.failed_at from mail.sieve s
            left join mail.sieve_script c on c.account_id = s.account_id where s.account_id = $1 order by c.name
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var scripts = new List<ScriptInfo>();
        string? failure = null;
        DateTimeOffset? failedAt = null;
        while (await reader.ReadAsync(cancellationToken))
        {
            failure = reader.IsDBNull(3) ? null : reader.GetString(3);
            failedAt = reader.IsDBNull(4) ? null : reader.GetFieldValue<DateTimeOffset>(4);
            if (!reader.IsDBNull(0))
                scripts.Add(new ScriptInfo(reader.GetString(0), reader.GetBoolean(1), reader.GetInt64(2)));
        }
        return new ScriptList(scripts, failure, failedAt);
    });

    /// <inheritdoc/>
    public ValueTask<StoredScript?> GetAsync(AccountId account, string name, CancellationToken cancellationToken) =>
        new MailFilters(database).SourceAsync(ScriptOwner.Of(account), name, cancellationToken);

    /// <inheritdoc/>
    public ValueTask<ScriptError?> HaveSpaceAsync(AccountId account, string name, long octets, ScriptQuota quota, CancellationToken cancellationToken) =>
        PutAsync(account, name, [], octets, quota, dry: true);

    /// <inheritdoc/>
    public ValueTask<ScriptError?> PutAsync(AccountId account, string name, byte[] source, ScriptQuota quota, CancellationToken cancellationToken) =>
        PutAsync(account, name, source, source.Length, quota, dry: false);

    /// <inheritdoc/>
    public ValueTask<ScriptError?> SetActiveAsync(AccountId account, string? name, CancellationToken cancellationToken) =>
        name is null ? ChangeAsync("select mail.sieve_activate_v1($1, null)", account.Value) : ChangeAsync("select mail.sieve_activate_v1($1, $2)", account.Value, name);

    /// <inheritdoc/>
    public ValueTask<ScriptError?> DeleteAsync(AccountId account, string name, CancellationToken cancellationToken) =>
        ChangeAsync("select mail.sieve_delete_v1($1, $2)", account.Value, name);

    /// <inheritdoc/>
    public ValueTask<ScriptError?> RenameAsync(AccountId account, string from, string to, CancellationToken cancellationToken) =>
        ChangeAsync("select mail.sieve_rename_v1($1, $2, $3)", account.Value, from, to);

    /// <inheritdoc/>
    public async ValueTask<ScriptList> ListAsync(TenantId tenant, CancellationToken cancellationToken) => await Store.Guard(async () => new ScriptList(
        await database.ListAsync("select name, length(source)::bigint from directory.sieve_script where tenant_id = $1 order by name",
            static r => new ScriptInfo(r.GetString(0), r.GetString(0) is ScriptNames.Before or ScriptNames.After, r.GetInt64(1)), tenant.Value),
        null, null));

    /// <inheritdoc/>
    public async ValueTask PutAsync(TenantId tenant, string name, byte[] source, CancellationToken cancellationToken) => await Store.Guard(() => database.ExecuteAsync("""
        insert into directory.sieve_script (tenant_id, name, hash, source) values ($1, $2, $3, $4)
        on conflict (tenant_id, name) do update set hash = excluded.hash, source = excluded.source, changed = now()
        """, tenant.Value, name, HashOf(source), source));

    /// <inheritdoc/>
    public async ValueTask<ScriptError?> DeleteAsync(TenantId tenant, string name, CancellationToken cancellationToken) => await Store.Guard<ScriptError?>(async () =>
        await database.ExecuteAsync("delete from directory.sieve_script where tenant_id = $1 and name = $2", tenant.Value, name) == 1 ? null : ScriptError.NonExistent);

    private ValueTask<ScriptError?> PutAsync(AccountId account, string name, byte[] source, long octets, ScriptQuota quota, bool dry) => ChangeAsync(
        "select mail.sieve_put_v1($1, $2, $3, $4, $5, $6, $7, $8)", account.Value, name, HashOf(source), source, octets, quota.Scripts, quota.Octets, dry);

    private async ValueTask<ScriptError?> ChangeAsync(string sql, params object[] parameters) => await Store.Guard<ScriptError?>(async () =>
        (short)(await database.ScalarAsync(sql, parameters))! is var code and not 0 ? (ScriptError)code : null);

    private static Guid HashOf(byte[] source) => new(SHA256.HashData(source).AsSpan(0, 16));
}
