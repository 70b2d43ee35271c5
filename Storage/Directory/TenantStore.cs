using System.Diagnostics;
using System.Text.Json;
using MailCluster.Contracts;
using MailCluster.Storage.Ids;
using Npgsql;

namespace MailCluster.Storage.Directories;

/// <param name="MaxMessages">Null: no limit.</param>
/// <param name="MaxBytes">Octets; null: no limit.</param>
public readonly record struct Quota(long? MaxMessages, long? MaxBytes);

/// <param name="Messages">Of all its accounts, now.</param>
/// <param name="Bytes">Octets of all its accounts, now.</param>
public sealed record TenantRow(TenantId Id, string Name, bool Enabled, string Delimiter, string Prefix, DateTime Created, long Accounts, long Messages, long Bytes, Quota Quota);

public sealed record DomainRow(string Name, string Tenant, DateTime Created);

public sealed record AliasRow(string Address, string Tenant, IReadOnlyList<string> Targets, DateTime Created);

/// <summary>
/// Tenants, their domains and aliases, for administrators. Lists come in pages: what follows a key, in its order.
/// All methods throw <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.
/// </summary>
public sealed partial class TenantStore(NpgsqlDataSource database, IdBlocks ids)
{
    /// <summary>RFC 6154 section 2, those that a mailbox can be given.</summary>
    private static readonly string[] SpecialUses = ["\\Archive", "\\Drafts", "\\Flagged", "\\Junk", "\\Sent", "\\Trash"];

    private static readonly TimeSpan QuotaPatience = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan QuotaPoll = TimeSpan.FromMilliseconds(20);

    /// <summary>Failures: <see cref="MailErrorCode.AlreadyExists"/>, <see cref="MailErrorCode.Cannot"/> (name).</summary>
    public Task<MailResult<TenantId>> AddAsync(string name) => Store.Guard<MailResult<TenantId>>(async () =>
    {
        if (name.Length is 0 or > 100 || name.Any(char.IsControl))
            return new MailError(MailErrorCode.Cannot, "A tenant's name has 1 to 100 characters, none of them a control character.");
        var id = new TenantId(await ids.NextAsync());
        var added = await database.ExecuteAsync("""
            with t as (insert into directory.tenant (id, name) values ($1, $2) on conflict do nothing returning id)
            insert into mail.tenant (tenant_id) select id from t
            """, id.Value, name);
        return added == 1 ? id : new MailError(MailErrorCode.AlreadyExists, $"There is a tenant '{name}' already.");
    });

    /// <summary>Up to <paramref name="limit"/> tenants after a name.</summary>
    public Task<List<TenantRow>> ListAsync(string? after, int limit) => ReadAsync("where t.name > $1 order by t.name limit $2", after ?? "", limit);

    /// <summary>Null when there is none.</summary>
    public async Task<TenantRow?> FindAsync(string name) => (await ReadAsync("where t.name = $1", name)).SingleOrDefault();

    /// <summary>A tenant that is off: its accounts can't log in, mail to them is deferred; sessions end.</summary>
    public Task<MailResult<Done>> SetEnabledAsync(string name, bool enabled) => Store.Guard<MailResult<Done>>(async () =>
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        if (await connection.ScalarAsync("update directory.tenant set enabled = $2 where name = $1 returning id", name, enabled) is not long id)
            return NoTenant(name);
        await DirectoryEvents.NotifyAsync(connection, new DirectoryEvent(DirectoryEventKind.State, Tenant: new TenantId(id)));
        await transaction.CommitAsync();
        return Done.Value;
    });

    /// <summary>
    /// Changes settings; null leaves one as it is. Delimiter and prefix are how names look on the wire, so they change for existing accounts, too; folders are those of
    /// accounts made from now on. Failures: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.Cannot"/> (a value that can't be).
    /// </summary>
    /// <param name="delimiter">'/' or '.'.</param>
    /// <param name="prefix">Empty, or a name that ends in the delimiter.</param>
    /// <param name="folders">Names with '/' between levels, and the special use or null; INBOX is always made.</param>
    public Task<MailResult<Done>> SetAsync(
        string name, char? delimiter, string? prefix, IReadOnlyList<(string Name, string? SpecialUse)>? folders, bool? deduplicate, bool? pop3Lock = null) => Store.Guard<MailResult<Done>>(async () =>
    {
        if (await FindAsync(name) is not { } tenant)
            return NoTenant(name);
        string separator = delimiter?.ToString() ?? tenant.Delimiter;
        string start = prefix ?? tenant.Prefix;
        if (separator is not ("/" or "."))
            return new MailError(MailErrorCode.Cannot, "The delimiter is '/' or '.'.");
        if (start.Length > 0 && (start.Length < 2 || !start.EndsWith(separator, StringComparison.Ordinal) || start.Any(static c => char.IsControl(c) || c is '%' or '*')))
            return new MailError(MailErrorCode.Cannot, $"The prefix '{start}' is neither empty nor a name that ends in the delimiter '{separator}'.");
        if (folders is not null && Unusable(folders) is { } reason)
            return new MailError(MailErrorCode.Cannot, reason);
        string? json = folders is null ? null : JsonSerializer.Serialize(
            folders.Where(static f => f.Name != "INBOX").Prepend(("INBOX", null)).Select(static f => new { path = f.Item1.Split('/'), use = f.Item2 }));
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync(
            "update directory.tenant set delimiter = $2, prefix = $3, folders = coalesce($4::jsonb, folders), deduplicate = coalesce($5::boolean, deduplicate), pop3_lock = coalesce($6::boolean, pop3_lock) where id = $1",
            tenant.Id.Value, separator, start, json, deduplicate, pop3Lock);
        await DirectoryEvents.NotifyAsync(connection, new DirectoryEvent(DirectoryEventKind.Settings, Tenant: tenant.Id));
        await transaction.CommitAsync();
        return Done.Value;
    });

    /// <summary>
    /// Sets what the tenant's users read as an annotation of the server (RFC 5464 §3.2.1.1), e.g. /shared/admin; empty for none. Failure: <see cref="MailErrorCode.NonExistent"/>.
    /// </summary>
    public Task<MailResult<Done>> SetAnnotationAsync(string name, string entry, string value) => Store.Guard<MailResult<Done>>(async () =>
    {
        if (await database.ScalarAsync("select id from directory.tenant where name = $1", name) is not long id)
            return NoTenant(name);
        await database.ExecuteAsync(value.Length == 0
            ? "delete from mail.tenant_annotation where tenant_id = $1 and entry = $2 and $3::text is not null"
            : "insert into mail.tenant_annotation (tenant_id, entry, value) values ($1, $2, convert_to($3, 'UTF8')) on conflict (tenant_id, entry) do update set value = excluded.value",
            id, entry, value);
        return Done.Value;
    });

    /// <summary>
    /// Says how the namespaces of others' and of shared mailboxes begin (RFC 2342), without the delimiter; null leaves one as it is, empty is none.
    /// Failures: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.Cannot"/> (a name that can't be).
    /// </summary>
    public Task<MailResult<Done>> SetNamespacesAsync(string name, string? otherUsers, string? sharedFolders) => Store.Guard<MailResult<Done>>(async () =>
    {
        if (await FindAsync(name) is not { } tenant)
            return NoTenant(name);
        foreach (string? start in (string?[])[otherUsers, sharedFolders])
        {
            if (start is { Length: > 0 } && (start.Contains(tenant.Delimiter[0]) || start.Any(static c => char.IsControl(c) || c is '%' or '*') || start.Equals("INBOX", StringComparison.OrdinalIgnoreCase)))
                return new MailError(MailErrorCode.Cannot, $"'{start}' can't be the first level of names.");
        }
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("update directory.tenant set other_users = coalesce($2::text, other_users), shared_folders = coalesce($3::text, shared_folders) where id = $1",
            tenant.Id.Value, otherUsers, sharedFolders);
        await DirectoryEvents.NotifyAsync(connection, new DirectoryEvent(DirectoryEventKind.Settings, Tenant: tenant.Id));
        await transaction.CommitAsync();
        return Done.Value;
    });

    /// <summary>What the log-ins of a tenant have to keep to; null when there is no such tenant.</summary>
    public Task<LoginPolicy?> GetPolicyAsync(string name) => Store.Guard(async () => (await database.ListAsync(
        "select login_policy::text from directory.tenant where name = $1", static r => LoginPolicy.Parse(r.IsDBNull(0) ? null : r.GetString(0)), name)).SingleOrDefault());

    /// <summary>Holds for log-ins from now on, on all nodes within seconds. Failure: <see cref="MailErrorCode.NonExistent"/>.</summary>
    public Task<MailResult<Done>> SetPolicyAsync(string name, LoginPolicy policy) => ChangeAsync(name, "login_policy = $2::jsonb", policy.ToJson());

    /// <summary>Who checks the passwords of a tenant's accounts; null where it is done here, or there is no such tenant.</summary>
    public Task<LdapServer?> GetLdapAsync(string name) => Store.Guard(async () => (await database.ListAsync(
        "select ldap::text from directory.tenant where name = $1 and ldap is not null", static r => LdapServer.Parse(r.GetString(0)), name)).SingleOrDefault());

    /// <summary>Null: here. Failures: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.Cannot"/> (see <see cref="LdapServer.Unusable"/>).</summary>
    public async Task<MailResult<Done>> SetLdapAsync(string name, LdapServer? server) => server?.Unusable() is { } reason
        ? new MailError(MailErrorCode.Cannot, reason) : await ChangeAsync(name, "ldap = $2::jsonb", server?.ToJson());

    /// <summary>Who signs the tokens of a tenant's users; null where nobody does, or there is no such tenant.</summary>
    public Task<TokenIssuer?> GetIssuerAsync(string name) => Store.Guard(async () => (await database.ListAsync(
        "select id, token_issuer::text from directory.tenant where name = $1 and token_issuer is not null", static r => ParseIssuer(new TenantId(r.GetInt64(0)), r.GetString(1)), name)).SingleOrDefault());

    /// <summary>Null: nobody. Failures: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.Cannot"/> (a URL that is neither https nor of this machine).</summary>
    public async Task<MailResult<Done>> SetIssuerAsync(string name, TokenIssuer? issuer)
    {
        foreach (string? url in new[] { issuer?.Issuer, issuer?.Metadata, issuer?.Jwks, issuer?.Introspection })
        {
            if (url is not null && !(Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) && (uri.Scheme == Uri.UriSchemeHttps || (uri.Scheme == Uri.UriSchemeHttp && uri.IsLoopback))))
                return new MailError(MailErrorCode.Cannot, $"'{url}' is no https URL.");
        }
        return await ChangeAsync(name, "token_issuer = $2::jsonb", issuer is null ? null : JsonSerializer.Serialize(new StoredIssuer(
            issuer.Issuer, issuer.Audience, issuer.Metadata, issuer.Jwks, issuer.Introspection, issuer.ClientId, issuer.ClientSecret, issuer.UserClaim, issuer.Scope, issuer.SkewSeconds), _web));
    }

    internal static TokenIssuer ParseIssuer(TenantId tenant, string json)
    {
        StoredIssuer s = JsonSerializer.Deserialize<StoredIssuer>(json, _web)!;
        return new TokenIssuer(tenant, s.Issuer, s.Audience, s.Metadata, s.Jwks, s.Introspection, s.ClientId, s.ClientSecret, s.UserClaim, s.Scope, s.SkewSeconds);
    }

    private static readonly JsonSerializerOptions _web = new(JsonSerializerDefaults.Web);

    private sealed record StoredIssuer(
        string Issuer, string Audience, string? Metadata, string? Jwks, string? Introspection, string? ClientId, string? ClientSecret, string UserClaim, string? Scope, int SkewSeconds);

    private Task<MailResult<Done>> ChangeAsync(string name, string assignment, object? value) => Store.Guard<MailResult<Done>>(async () =>
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        if (await connection.ScalarAsync($"update directory.tenant set {assignment} where name = $1 returning id", name, value) is not long id)
            return NoTenant(name);
        await DirectoryEvents.NotifyAsync(connection, new DirectoryEvent(DirectoryEventKind.Settings, Tenant: new TenantId(id)));
        await transaction.CommitAsync();
        return Done.Value;
    });

    private static string? Unusable(IReadOnlyList<(string Name, string? SpecialUse)> folders)
    {
        if (folders.FirstOrDefault(static f => f.Name.Split('/').Any(static s => s.Length == 0 || s.Any(static c => char.IsControl(c) || c is '%' or '*'))) is { Name: { } bad })
            return $"'{bad}' can't be a folder's name.";
        if (folders.FirstOrDefault(static f => f.SpecialUse is not null && !SpecialUses.Contains(f.SpecialUse)) is { SpecialUse: { } use })
            return $"'{use}' is no special use: {string.Join(' ', SpecialUses)}.";
        if (folders.Select(static f => f.Name).Distinct().Count() != folders.Count)
            return "Two folders have the same name.";
        return folders.Where(static f => f.SpecialUse is not null).Select(static f => f.SpecialUse).GroupBy(static u => u).Any(static g => g.Count() > 1)
            ? "Two folders have the same special use." : null;
    }

    /// <summary>
    /// Sets the tenant's limits, exactly, while its accounts take mail: charging is switched on; every transaction that may not have seen that is waited for;
    /// then, with the tenant's row locked, usage is counted anew and the limits stand. More than a limit may be in use: then nothing more comes in.
    /// Failures: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.InUse"/> (a transaction runs for minutes; nothing is limited then).
    /// </summary>
    public Task<MailResult<Done>> SetQuotaAsync(string name, Quota quota) => Store.Guard<MailResult<Done>>(async () =>
    {
        if (await database.ScalarAsync("select id from directory.tenant where name = $1", name) is not long id)
            return NoTenant(name);
        await database.ExecuteAsync("insert into mail.tenant (tenant_id, charged) values ($1, true) on conflict (tenant_id) do update set charged = true", id);
        // A commit locks rows, and so has a transaction number, before it looks whether the tenant is charged.
        var first = (long)(await database.ScalarAsync("select pg_snapshot_xmax(pg_current_snapshot())::text::bigint"))!;
        var started = Stopwatch.GetTimestamp();
        while ((long)(await database.ScalarAsync("select pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))! < first)
        {
            if (Stopwatch.GetElapsedTime(started) > QuotaPatience)
                return new MailError(MailErrorCode.InUse, "A transaction has been running in the database for minutes: end it, then set the quota again.");
            await Task.Delay(QuotaPoll);
        }
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("select 1 from mail.tenant where tenant_id = $1 for no key update", id);
        // A statement of its own: it sees every commit that had the row before.
        await connection.ExecuteAsync("""
            update mail.tenant t set max_messages = $2::bigint, max_bytes = $3::bigint, charged = not ($2::bigint is null and $3::bigint is null), messages = u.messages, bytes = u.bytes
            from (select coalesce(sum(a.messages), 0) as messages, coalesce(sum(a.bytes), 0) as bytes from mail.account a where a.tenant_id = $1) u
            where t.tenant_id = $1
            """, id, quota.MaxMessages, quota.MaxBytes);
        await transaction.CommitAsync();
        return Done.Value;
    });

    /// <summary>Deletes a tenant with its domains and aliases. Failures: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.InUse"/> (it has accounts).</summary>
    public Task<MailResult<Done>> DeleteAsync(string name) => Store.Guard<MailResult<Done>>(async () =>
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        if (await connection.ScalarAsync("select id from directory.tenant where name = $1 for update", name) is not long id)
            return NoTenant(name);
        if (await connection.ScalarAsync("select 1 from directory.account where tenant_id = $1 limit 1", id) is not null)
            return new MailError(MailErrorCode.InUse, $"The tenant '{name}' has accounts: delete them first.");
        await connection.ExecuteAsync("delete from directory.alias where tenant_id = $1", id);
        await connection.ExecuteAsync("delete from directory.domain where tenant_id = $1", id);
        await connection.ExecuteAsync("delete from directory.tenant where id = $1", id);
        await connection.ExecuteAsync("delete from mail.tenant where tenant_id = $1", id);
        await connection.ExecuteAsync("delete from mail.tenant_annotation where tenant_id = $1", id);
        await transaction.CommitAsync();
        return Done.Value;
    });

    /// <summary>Failures: <see cref="MailErrorCode.NonExistent"/> (tenant), <see cref="MailErrorCode.AlreadyExists"/>, <see cref="MailErrorCode.Cannot"/> (no domain name).</summary>
    public Task<MailResult<string>> AddDomainAsync(string domain, string tenant) => Store.Guard<MailResult<string>>(async () =>
    {
        if (MailAddress.ParseDomain(domain) is not { } name)
            return new MailError(MailErrorCode.Cannot, $"'{domain}' is no domain name.");
        if (await database.ScalarAsync("select id from directory.tenant where name = $1", tenant) is not long id)
            return NoTenant(tenant);
        var added = await database.ExecuteAsync("insert into directory.domain (name, tenant_id) values ($1, $2) on conflict do nothing", name, id);
        return added == 1 ? name : new MailError(MailErrorCode.AlreadyExists, $"There is a domain '{name}' already.");
    });

    /// <summary>Up to <paramref name="limit"/> domains after a name, of one tenant or of all.</summary>
    public Task<List<DomainRow>> ListDomainsAsync(string? tenant, string? after, int limit) => Store.Guard(async () =>
    {
        return await database.ListAsync("""
            select d.name, t.name, d.created from directory.domain d join directory.tenant t on t.id = d.tenant_id
            where d.name > $1 and ($2::text is null or t.name = $2) order by d.name limit $3
            """, r => new DomainRow(r.GetString(0), r.GetString(1), r.GetDateTime(2)), after ?? "", tenant, limit);
    });

    /// <summary>Failures: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.InUse"/> (accounts or aliases have it).</summary>
    public Task<MailResult<Done>> DeleteDomainAsync(string domain) => Store.Guard<MailResult<Done>>(async () =>
    {
        var name = MailAddress.ParseDomain(domain) ?? domain;
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        if (await connection.ScalarAsync("select tenant_id from directory.domain where name = $1 for update", name) is not long tenant)
            return new MailError(MailErrorCode.NonExistent, $"There is no domain '{domain}'.");
        var used = await connection.ScalarAsync("""
            select user_name from directory.account where tenant_id = $1 and split_part(user_name, '@', -1) = $2
            union all select address from directory.alias where tenant_id = $1 and split_part(address, '@', -1) = $2 limit 1
            """, tenant, name);
        if (used is not null)
            return new MailError(MailErrorCode.InUse, $"The domain '{name}' is in use, by {used} for one.");
        await connection.ExecuteAsync("delete from directory.domain where name = $1", name);
        await transaction.CommitAsync();
        return Done.Value;
    });

    /// <summary>Makes or replaces an alias. Failures: <see cref="MailErrorCode.Cannot"/> (addresses), <see cref="MailErrorCode.NonExistent"/> (domain), <see cref="MailErrorCode.AlreadyExists"/> (an account has the address).</summary>
    public Task<MailResult<Done>> SetAliasAsync(string address, IReadOnlyList<string> targets) => Store.Guard<MailResult<Done>>(async () =>
    {
        if (MailAddress.Parse(address) is not { } alias)
            return new MailError(MailErrorCode.Cannot, $"'{address}' is no address.");
        if (targets.Count is 0 or > DirectoryStore.MaxTargets)
            return new MailError(MailErrorCode.Cannot, $"An alias has 1 to {DirectoryStore.MaxTargets} targets.");
        var parsed = targets.Select(MailAddress.Parse).ToList();
        if (parsed.IndexOf(null) is >= 0 and var bad)
            return new MailError(MailErrorCode.Cannot, $"'{targets[bad]}' is no address.");
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        // The domain's row is what accounts and aliases of one domain meet at.
        if (await connection.ScalarAsync("select tenant_id from directory.domain where name = $1 for update", alias.Domain) is not long tenant)
            return new MailError(MailErrorCode.NonExistent, $"There is no domain '{alias.Domain}'.");
        if (await connection.ScalarAsync("select 1 from directory.account where user_name = $1", alias.ToString()) is not null)
            return new MailError(MailErrorCode.AlreadyExists, $"'{alias}' is an account.");
        await connection.ExecuteAsync("insert into directory.alias (address, tenant_id, targets) values ($1, $2, $3) on conflict (address) do update set targets = excluded.targets",
            alias.ToString(), tenant, parsed.Select(p => p!.Value.ToString()).ToArray());
        await transaction.CommitAsync();
        return Done.Value;
    });

    /// <summary>Up to <paramref name="limit"/> aliases after an address, of one tenant or of all.</summary>
    public Task<List<AliasRow>> ListAliasesAsync(string? tenant, string? after, int limit) => Store.Guard(async () =>
    {
        return await database.ListAsync("""
            select l.address, t.name, l.targets, l.created from directory.alias l join directory.tenant t on t.id = l.tenant_id
            where l.address > $1 and ($2::text is null or t.name = $2) order by l.address limit $3
            """, r => new AliasRow(r.GetString(0), r.GetString(1), r.GetFieldValue<string[]>(2), r.GetDateTime(3)), after ?? "", tenant, limit);
    });

    /// <summary>Failure: <see cref="MailErrorCode.NonExistent"/>.</summary>
    public Task<MailResult<Done>> DeleteAliasAsync(string address) => Store.Guard<MailResult<Done>>(async () =>
        await database.ExecuteAsync("delete from directory.alias where address = $1", MailAddress.Parse(address)?.ToString() ?? address) == 1
            ? Done.Value
            : new MailError(MailErrorCode.NonExistent, $"There is no alias '{address}'."));

    internal static MailError NoTenant(string name) => new(MailErrorCode.NonExistent, $"There is no tenant '{name}'.");

    private Task<List<TenantRow>> ReadAsync(string which, params object?[] parameters) => Store.Guard(async () =>
    {
        return await database.ListAsync($"""
            select t.id, t.name, t.enabled, t.delimiter::text, t.prefix, t.created, u.accounts, u.messages, u.bytes, m.max_messages, m.max_bytes
            from directory.tenant t left join mail.tenant m on m.tenant_id = t.id
            cross join lateral (select count(*) as accounts, coalesce(sum(a.messages), 0)::bigint as messages, coalesce(sum(a.bytes), 0)::bigint as bytes
                from mail.account a where a.tenant_id = t.id) u {which}
            """,
            r => new TenantRow(new(r.GetInt64(0)), r.GetString(1), r.GetBoolean(2), r.GetString(3), r.GetString(4), r.GetDateTime(5),
                r.GetInt64(6), r.GetInt64(7), r.GetInt64(8), new Quota(r.NullableInt64(9), r.NullableInt64(10))), parameters);
    });
}
