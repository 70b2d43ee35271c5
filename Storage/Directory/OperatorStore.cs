using System.Net;
using MailCluster.Contracts;
using Npgsql;

namespace MailCluster.Storage.Directories;

/// <param name="Tenants">Names; null: all.</param>
public sealed record OperatorRow(string Name, IReadOnlyList<string>? Tenants, DateTime Created, DateTime? LastLogin, IPAddress? LastAddress);

/// <summary>Operators, for administrators. All methods throw <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.</summary>
public sealed class OperatorStore(NpgsqlDataSource database)
{
    /// <summary>
    /// Makes an operator, or changes one's password and tenants: true in the log-in after some seconds at most.
    /// Failures: <see cref="MailErrorCode.Cannot"/> (name), <see cref="MailErrorCode.NonExistent"/> (a tenant).
    /// </summary>
    /// <param name="verifier">See <see cref="ScramVerifier"/>; null keeps the one there is.</param>
    /// <param name="tenants">Names; null: all.</param>
    public Task<MailResult<Done>> SetAsync(string name, string? verifier, IReadOnlyList<string>? tenants) => Store.Guard<MailResult<Done>>(async () =>
    {
        if (name.Length is 0 or > 100 || name.Any(static c => char.IsControl(c) || char.IsWhiteSpace(c)))
            return new MailError(MailErrorCode.Cannot, "An operator's name has 1 to 100 characters, none of them blank.");
        long[]? ids = null;
        if (tenants is not null)
        {
            ids = [.. await database.ListAsync("select id from directory.tenant where name = any($1)", static r => r.GetInt64(0), (object)tenants.ToArray())];
            if (ids.Length != tenants.Distinct().Count())
                return new MailError(MailErrorCode.NonExistent, "There is no tenant of one of these names.");
        }
        int changed = verifier is null
            ? await database.ExecuteAsync("update directory.operator set tenants = $2::bigint[] where name = $1", name.ToLowerInvariant(), ids)
            : await database.ExecuteAsync("""
                insert into directory.operator (name, verifier, tenants) values ($1, $2, $3::bigint[])
                on conflict (name) do update set verifier = excluded.verifier, tenants = excluded.tenants
                """, name.ToLowerInvariant(), verifier, ids);
        return changed == 1 ? Done.Value : new MailError(MailErrorCode.NonExistent, $"There is no operator '{name}', and a new one needs a password.");
    });

    /// <summary>Failure: <see cref="MailErrorCode.NonExistent"/>.</summary>
    public Task<MailResult<Done>> DeleteAsync(string name) => Store.Guard<MailResult<Done>>(async () =>
        await database.ExecuteAsync("delete from directory.operator where name = $1", name.ToLowerInvariant()) == 1
            ? Done.Value : new MailError(MailErrorCode.NonExistent, $"There is no operator '{name}'."));

    /// <summary>Up to <paramref name="limit"/> operators after a name.</summary>
    public Task<List<OperatorRow>> ListAsync(string? after, int limit) => Store.Guard(async () => await database.ListAsync("""
        select o.name, case when o.tenants is null then null else array(select t.name from directory.tenant t where t.id = any(o.tenants) order by t.name) end,
            o.created, o.last_login, o.last_address
        from directory.operator o where o.name > $1 order by o.name limit $2
        """, r => new OperatorRow(r.GetString(0), r.IsDBNull(1) ? null : r.GetFieldValue<string[]>(1), r.GetDateTime(2), r.IsDBNull(3) ? null : r.GetDateTime(3),
            r.IsDBNull(4) ? null : r.GetFieldValue<IPAddress>(4)), after ?? "", limit));
}
