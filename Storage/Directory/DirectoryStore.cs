using MailCluster.Contracts;
using Npgsql;

namespace MailCluster.Storage.Directories;

/// <summary>An account as its owner needs it: settings with the tenant's filled in, and what log-in is decided by.</summary>
/// <param name="Verifier">See <see cref="StoredPassword"/>; null: no password log-in.</param>
/// <param name="Login">False: log-in is off for the account or its tenant.</param>
/// <param name="LocksMaildrop">One POP3 session of the account shuts out another (RFC 1939 section 4): a setting of the tenant.</param>
public sealed record DirectoryAccount(AccountSettings Settings, string? Verifier, bool Login, bool LocksMaildrop = true)
{
    /// <summary>For SCRAM-SHA-1; null where the tenant keeps none.</summary>
    public string? VerifierSha1 { get; init; }

    public LoginPolicy Policy { get; init; } = LoginPolicy.Default;

    public IReadOnlyList<AppPassword> AppPasswords { get; init; } = [];

    /// <summary>Who checks its password in place of the verifiers; null: nobody else.</summary>
    public LdapServer? Ldap { get; init; }

    /// <summary>Its verifiers are those that its tenant wants: a log-in with the password has nothing to change.</summary>
    public bool IsComplete => Ldap is not null || Verifier is null || (!StoredPassword.IsForeign(Verifier) && (!Policy.ScramSha1 || VerifierSha1 is not null));

    /// <summary>Where its last log-in came from.</summary>
    public string? LastAddress { get; init; }
}

/// <summary>What log-in and delivery ask the directory. All methods throw <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.</summary>
public sealed class DirectoryStore(NpgsqlDataSource database)
{
    /// <summary>Aliases of aliases are followed this deep.</summary>
    public const int MaxAliasDepth = 8;

    /// <summary>How often the last log-in of an account is noted at most.</summary>
    public static readonly TimeSpan LoginsNotedEvery = TimeSpan.FromMinutes(1);

    /// <summary>Accounts and addresses that one alias may spread to; what is beyond gets nothing.</summary>
    public const int MaxTargets = 1000;

    // Recipients that are named at the same time, by whatever connections, are looked up by one query.
    private readonly GatheredQuery<string, IReadOnlyDictionary<string, (AccountRef? Account, string[] Targets)>> _addresses = new(addresses => LookUpAsync(database, addresses));

    /// <summary>The account that logs in with <paramref name="user"/>; null when there is none.</summary>
    /// <param name="neighbourOf">Not null: only where its tenant is this one or shares with it.</param>
    public Task<AccountRef?> FindUserAsync(string user, TenantId? neighbourOf = null) => Store.Guard(async () =>
    {
        if (MailAddress.Parse(user) is not { } address)
            return null;
        await using var command = database.CreateCommand(
            $"select a.id, a.tenant_id, a.user_name from directory.account a where a.user_name = $1{(neighbourOf is null ? "" : " and mail.tenants_share_v1($2, a.tenant_id)")}");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = address.ToString() });
        if (neighbourOf is { } tenant)
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = tenant.Value });
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync() ? new AccountRef(new(reader.GetInt64(0)), new(reader.GetInt64(1)), reader.GetString(2)) : null;
    });

    /// <summary>
    /// Whom mail to an address goes to, each account once: the account or alias of exactly this address, else that of the address without its
    /// sub-address. Empty when there is nobody. A target's own sub-address wins over the one the mail came with.
    /// </summary>
    public Task<IReadOnlyList<Recipient>> FindRecipientsAsync(string address) => Store.Guard<IReadOnlyList<Recipient>>(async () =>
    {
        var recipients = new List<Recipient>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var next = new List<(MailAddress Address, string? Detail)>();
        Add(address, null);
        for (var depth = 0; next.Count > 0 && depth <= MaxAliasDepth; depth++)
        {
            var current = next;
            next = [];
            var found = await _addresses.AskAsync(current.SelectMany(c => Candidates(c.Address)).Select(c => c.Address.ToString()));
            foreach (var (target, inherited) in current)
            {
                foreach (var (candidate, detail) in Candidates(target))
                {
                    if (!found.TryGetValue(candidate.ToString(), out var entry))
                        continue;
                    if (entry.Account is { } account && seen.Add("account " + account.Account) && recipients.Count < MaxTargets)
                        recipients.Add(new Recipient(account, detail ?? inherited));
                    foreach (var further in entry.Targets)
                        Add(further, detail ?? inherited);
                    break;
                }
            }
        }
        return recipients;

        // An address that was followed once leads nowhere new: loops end here.
        void Add(string text, string? detail)
        {
            if (MailAddress.Parse(text) is { } parsed && seen.Count < MaxTargets && seen.Add(parsed.ToString()))
                next.Add((parsed, detail));
        }

        static IEnumerable<(MailAddress Address, string? Detail)> Candidates(MailAddress address)
        {
            yield return (address, null);
            if (address.WithoutDetail() is { } plain)
                yield return plain;
        }
    });

    /// <summary>An account with its settings; null when it was deleted. A disabled tenant's accounts can't log in and defer mail.</summary>
    public Task<DirectoryAccount?> GetAccountAsync(AccountId account) => account.Value >= 0 ? ReadAccountAsync(account) : ReadNobodyAsync();

    /// <summary>A decoy takes as long as an account: another's row is read in the place of its own.</summary>
    private async Task<DirectoryAccount?> ReadNobodyAsync()
    {
        if (Volatile.Read(ref _standIn) == 0)
            Volatile.Write(ref _standIn, await Store.Guard(async () => (long?)await database.ScalarAsync("select id from directory.account limit 1") ?? 0));
        if (await ReadAccountAsync(new AccountId(Volatile.Read(ref _standIn))) is null)
            Volatile.Write(ref _standIn, 0);
        return null;
    }

    /// <summary>Any account; 0 until one was looked for.</summary>
    private long _standIn;

    private Task<DirectoryAccount?> ReadAccountAsync(AccountId account) => Store.Guard(async () =>
    {
        await using var command = database.CreateCommand("""
            select a.tenant_id, a.user_name, coalesce(a.delimiter, t.delimiter)::text, coalesce(a.prefix, t.prefix),
                case when t.enabled or a.delivery = 2 then a.delivery else 1 end::smallint, m.max_bytes, m.max_messages, a.verifier, a.login and t.enabled, t.deduplicate, a.manages, t.pop3_lock,
                a.verifier_sha1, t.login_policy::text, host(a.last_address), t.ldap::text, t.other_users, t.shared_folders, coalesce(m.shared_store, false),
                (select jsonb_agg(jsonb_build_object('name', p.name, 'hash', encode(p.hash, 'base64'), 'protocols', p.protocols, 'networks', p.networks::text[]) order by p.name)::text
                    from directory.app_password p where p.account_id = a.id)
            from directory.account a join directory.tenant t on t.id = a.tenant_id left join mail.account m on m.account_id = a.id where a.id = $1
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
        await using var reader = await command.ExecuteReaderAsync();
        if (!await reader.ReadAsync())
            return null;
        var settings = new AccountSettings(account, new(reader.GetInt64(0)), reader.GetString(1), reader.GetString(2)[0], reader.GetString(3),
            (DeliveryState)reader.GetInt16(4), reader.IsDBNull(5) ? null : reader.GetInt64(5), reader.IsDBNull(6) ? null : reader.GetInt64(6), reader.GetBoolean(9), reader.GetBoolean(10),
            Text(16), Text(17), reader.GetBoolean(18), Shares: true);
        return new DirectoryAccount(settings, Text(7), reader.GetBoolean(8), reader.GetBoolean(11))
        {
            VerifierSha1 = Text(12), Policy = LoginPolicy.Parse(Text(13)), LastAddress = Text(14), Ldap = LdapServer.Parse(Text(15)), AppPasswords = AppPassword.ListOf(Text(19)),
        };

        string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
    });

    /// <summary>Whether a domain is a tenant's.</summary>
    public Task<bool> HasDomainAsync(string domain) => Store.Guard(async () =>
        MailAddress.ParseDomain(domain) is { } name && await database.ScalarAsync("select 1 from directory.domain where name = $1", name) is not null);

    /// <summary>The targets of an alias of exactly this address; empty when it is none.</summary>
    public Task<IReadOnlyList<string>> FindAliasAsync(string address) => Store.Guard<IReadOnlyList<string>>(async () =>
        MailAddress.Parse(address) is { } alias && await database.ScalarAsync("select targets from directory.alias where address = $1", alias.ToString()) is string[] targets ? targets : []);

    /// <summary>
    /// Notes when and from where an account was last used, see <see cref="LoginsNotedEvery"/>. Best effort: a log-in never fails or waits for the disk because of it.
    /// </summary>
    public async Task NoteLoginAsync(AccountId account, System.Net.IPAddress? address)
    {
        try
        {
            await using var command = database.CreateCommand("""
                update directory.account set last_login = now(), last_address = $2
                where id = $1 and (last_login is null or last_login < now() - $3) and set_config('synchronous_commit', 'off', true) is not null
                """);
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
            command.Parameters.Add(new NpgsqlParameter { Value = (object?)address ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Inet });
            command.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = LoginsNotedEvery });
            await command.ExecuteNonQueryAsync();
        }
        catch (Exception e) when (Store.IsOutage(e))
        {
        }
    }

    private static async Task<IReadOnlyDictionary<string, (AccountRef? Account, string[] Targets)>> LookUpAsync(NpgsqlDataSource database, IReadOnlyList<string> addresses)
    {
        await using var command = database.CreateCommand("select address, account_id, tenant_id, targets from directory.recipients_v1($1)");
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. addresses.Distinct()] });
        await using var reader = await command.ExecuteReaderAsync();
        var found = new Dictionary<string, (AccountRef?, string[])>(StringComparer.Ordinal);
        while (await reader.ReadAsync())
        {
            var address = reader.GetString(0);
            found[address] = reader.IsDBNull(1)
                ? (null, reader.GetFieldValue<string[]>(3))
                : (new AccountRef(new(reader.GetInt64(1)), new(reader.GetInt64(2)), address), []);
        }
        return found;
    }
}
