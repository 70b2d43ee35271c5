using MailCluster.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Filters;

/// <summary>What deliveries ask of filters, and leave: see <see cref="IMailFilters"/>.</summary>
/// <param name="patience">How long statements, which can all be repeated, are tried again while PostgreSQL is away. Default 5 s.</param>
public sealed class MailFilters(NpgsqlDataSource database, TimeSpan? patience = null) : IMailFilters
{
    private readonly TimeSpan _patience = patience ?? TimeSpan.FromSeconds(5);
    private readonly GatheredQuery<(AccountId Account, TenantId Tenant), IReadOnlyDictionary<AccountId, AccountFilters>> _filters =
        new(accounts => ReadAsync(database, patience ?? TimeSpan.FromSeconds(5), accounts));

    /// <inheritdoc/>
    /// <remarks>One query for all deliveries that ask while the one before is under way: each asks, and mostly for accounts that have none.</remarks>
    public async ValueTask<IReadOnlyDictionary<AccountId, AccountFilters>> FiltersAsync(
        IReadOnlyList<(AccountId Account, TenantId Tenant)> accounts, CancellationToken cancellationToken) =>
        await _filters.AskAsync(accounts).WaitAsync(cancellationToken).ConfigureAwait(false);

    private static Task<IReadOnlyDictionary<AccountId, AccountFilters>> ReadAsync(
        NpgsqlDataSource database, TimeSpan patience, IReadOnlyList<(AccountId Account, TenantId Tenant)> accounts) => Store.Persist(async _ =>
    {
        await using var command = database.CreateCommand("select account_id, name, own, before, after from mail.filters_v1($1, $2)");
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. accounts.Select(static a => a.Account.Value)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. accounts.Select(static a => a.Tenant.Value)] });
        await using var reader = await command.ExecuteReaderAsync().ConfigureAwait(false);
        var found = new Dictionary<AccountId, AccountFilters>();
        while (await reader.ReadAsync().ConfigureAwait(false))
        {
            found[new AccountId(reader.GetInt64(0))] = new AccountFilters(
                reader.IsDBNull(3) ? null : new ScriptRef(ScriptNames.Before, reader.GetGuid(3)),
                reader.IsDBNull(2) ? null : new ScriptRef(reader.GetString(1), reader.GetGuid(2)),
                reader.IsDBNull(4) ? null : new ScriptRef(ScriptNames.After, reader.GetGuid(4)));
        }
        return (IReadOnlyDictionary<AccountId, AccountFilters>)found;
    }, patience, CancellationToken.None);

    /// <inheritdoc/>
    public async ValueTask<StoredScript?> SourceAsync(ScriptOwner owner, string name, CancellationToken cancellationToken) => await Store.Persist(async _ =>
    {
        await using var command = database.CreateCommand(owner.Account is null
            ? "select hash, source from directory.sieve_script where tenant_id = $1 and name = $2"
            : "select hash, source from mail.sieve_script where account_id = $1 and name = $2");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = owner.Account?.Value ?? owner.Tenant!.Value.Value });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        return await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? new StoredScript(name, reader.GetGuid(0), reader.GetFieldValue<byte[]>(1)) : null;
    }, _patience, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<IReadOnlySet<MemoryKey>> RecallAsync(AccountId account, IReadOnlyList<MemoryKey> keys, CancellationToken cancellationToken) => await Store.Persist(async _ =>
    {
        await using var command = database.CreateCommand("""
            select m.kind, m.key from unnest($2, $3) as x(kind, key) join mail.sieve_memory m on m.account_id = $1 and m.kind = x.kind and m.key = x.key and m.until > now()
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
        command.Parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. keys.Select(static k => (short)k.Kind)] });
        command.Parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. keys.Select(static k => k.Key)] });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        var known = new HashSet<MemoryKey>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
            known.Add(new MemoryKey((MemoryKind)reader.GetInt16(0), reader.GetGuid(1)));
        return (IReadOnlySet<MemoryKey>)known;
    }, _patience, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<MailResult<IReadOnlyList<int>>> ClaimAsync(BodyId body, int count, CancellationToken cancellationToken) => await Store.Persist(async _ =>
    {
        await using var command = database.CreateCommand("select mail.claim_body_v1($1, $2)");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = body.Value });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = count });
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is int[] claims
            ? new MailResult<IReadOnlyList<int>>(claims, null) : new MailError(MailErrorCode.BodyGone, "The body is gone.");
    }, _patience, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask<FilterOutcome> CommitAsync(FilterCommit commit, CancellationToken cancellationToken) => await Store.Persist(async _ =>
    {
        IReadOnlyList<OutgoingMail> mail = commit.Mail;
        await using var command = database.CreateCommand(
            "select mail.filter_commit_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)");
        var parameters = command.Parameters;
        parameters.Add(new NpgsqlParameter<long> { TypedValue = commit.Account.Value });
        parameters.Add(new NpgsqlParameter<long> { TypedValue = commit.Tenant.Value });
        parameters.Add(new NpgsqlParameter<Guid> { TypedValue = commit.Delivery });
        parameters.Add(new NpgsqlParameter<int> { TypedValue = commit.MostADay });
        parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. commit.Remember.Select(static r => (short)r.Key.Kind)] });
        parameters.Add(new NpgsqlParameter<Guid[]> { TypedValue = [.. commit.Remember.Select(static r => r.Key.Key)] });
        parameters.Add(new NpgsqlParameter<TimeSpan[]> { TypedValue = [.. commit.Remember.Select(static r => r.For)] });
        parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. mail.Select(static m => m.Ordinal)] });
        parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. mail.Select(static m => (short)m.Kind)] });
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. mail.Select(static m => m.Sender)] });
        parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. mail.Select(static m => string.Join('\n', m.Recipients))] });
        parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = [.. mail.Select(static m => m.Head)] });
        parameters.Add(new NpgsqlParameter { Value = mail.Select(static m => m.Body?.Value).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint });
        parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. mail.Select(static m => m.Offset)] });
        parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. mail.Select(static m => m.Size)] });
        parameters.Add(new NpgsqlParameter<bool[]> { TypedValue = [.. mail.Select(static m => m.Utf8)] });
        parameters.Add(new NpgsqlParameter { Value = mail.Select(static m => (short?)m.Once?.Key.Kind).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Smallint });
        parameters.Add(new NpgsqlParameter { Value = mail.Select(static m => m.Once?.Key.Key).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid });
        parameters.Add(new NpgsqlParameter { Value = mail.Select(static m => m.Once?.For).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Interval });
        parameters.Add(new NpgsqlParameter<bool[]> { TypedValue = [.. mail.Select(static m => m.Required)] });
        return (FilterOutcome)(short)(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!;
    }, _patience, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    public async ValueTask NoteFailureAsync(AccountId account, string failure, CancellationToken cancellationToken) => await Store.Persist(async _ =>
    {
        await using var command = database.CreateCommand("update mail.sieve set failure = $2, failed_at = now() where account_id = $1");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = failure.Replace('\0', ' ') });
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }, _patience, cancellationToken).ConfigureAwait(false);
}
