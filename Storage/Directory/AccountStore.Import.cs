using MailCluster.Contracts;
using Npgsql;

namespace MailCluster.Storage.Directories;

/// <param name="Password">In clear, or a verifier or hash brought along from elsewhere (see <see cref="StoredPassword"/>).</param>
public readonly record struct ImportedAccount(string User, string Password);

/// <summary>Accounts by the thousand.</summary>
public sealed partial class AccountStore
{
    /// <summary>Accounts made by one transaction.</summary>
    private const int ImportBatch = 500;

    private const string BuiltInFolders = """
        [{"path": ["INBOX"]}, {"path": ["Sent"], "use": "\\Sent"}, {"path": ["Drafts"], "use": "\\Drafts"}, {"path": ["Trash"], "use": "\\Trash"},
         {"path": ["Junk"], "use": "\\Junk"}, {"path": ["Archive"], "use": "\\Archive"}]
        """;

    /// <summary>
    /// Makes accounts as they come; each that can't be made is told, the others are not held up. Passwords are hashed on all processors.
    /// </summary>
    /// <param name="refused">Called with the place of an account (from 0) and the reason.</param>
    /// <returns>How many were made.</returns>
    public async Task<int> ImportAsync(IEnumerable<ImportedAccount> accounts, Action<int, MailError> refused)
    {
        int place = 0, made = 0;
        foreach (var batch in accounts.Chunk(ImportBatch))
        {
            var stored = batch.AsParallel().AsOrdered().Select(a => StoredPassword.Of(a.Password)).ToList();
            var results = await AddAsync([.. batch.Zip(stored).Where(p => p.Second.Error is null).Select(p => (p.First.User, p.Second))]);
            int next = 0;
            foreach (var password in stored)
            {
                MailError? refusal = password.Error is { } error ? new MailError(MailErrorCode.Cannot, error) : results[next++].Error;
                if (refusal is not null)
                    refused(place, refusal);
                else
                    made++;
                place++;
            }
        }
        return made;
    }

    // One transaction for all that can be made; where somebody else was faster with one of them, one by one.
    private Task<MailResult<AccountId>[]> AddAsync(IReadOnlyList<(string User, NewPassword Password)> accounts) => Store.Guard(async () =>
    {
        try
        {
            return await TryAddAsync(accounts);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation && accounts.Count == 1)
        {
            return [Exists(accounts[0].User)];
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            var results = new MailResult<AccountId>[accounts.Count];
            for (var i = 0; i < results.Length; i++)
                results[i] = await AddAsync(accounts[i].User, accounts[i].Password);
            return results;
        }
    });

    private async Task<MailResult<AccountId>[]> TryAddAsync(IReadOnlyList<(string User, NewPassword Password)> accounts)
    {
        var results = new MailResult<AccountId>[accounts.Count];
        var addresses = accounts.Select(a => MailAddress.Parse(a.User)).ToList();
        var names = addresses.Select(a => a?.ToString()).ToList();
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var domains = await DomainsAsync(connection, addresses.OfType<MailAddress>().Select(a => a.Domain).Distinct().ToArray());
        var taken = await TakenAsync(connection, names.OfType<string>().ToArray());
        foreach (var tenant in domains.Values.Select(d => d.Tenant).Distinct())
        {
            var folders = domains.Values.First(d => d.Tenant == tenant);
            var places = new List<int>();
            for (var i = 0; i < results.Length; i++)
            {
                if (addresses[i] is { } address && domains.TryGetValue(address.Domain, out var domain) && domain.Tenant == tenant && taken.Add(names[i]!))
                    places.Add(i);
            }
            if (places.Count == 0)
                continue;
            var accountIds = await ids.NextAsync(places.Count);
            var mailboxIds = await ids.NextAsync(places.Count * folders.Count);
            var users = places.Select(p => names[p]!).ToArray();
            var tenants = Enumerable.Repeat(tenant, places.Count).ToArray();
            await connection.ExecuteAsync("select mail.provision_v1($1, $2, $3, $4::jsonb, $5)", accountIds, tenants, users, folders.Folders, mailboxIds);
            await connection.ExecuteAsync(
                $"""
                insert into directory.account (id, tenant_id, user_name, verifier, verifier_sha1)
                select x.id, $4, x.user_name, x.verifier, {Sha1Wanted("x.sha1")} from unnest($1, $2, $3, $5) as x(id, user_name, verifier, sha1), directory.tenant t where t.id = $4
                """,
                accountIds, users, places.Select(p => accounts[p].Password.Stored).ToArray(), tenant, places.Select(p => accounts[p].Password.Sha1).ToArray());
            for (var i = 0; i < accountIds.Length; i++)
                results[places[i]] = new AccountId(accountIds[i]);
        }
        await transaction.CommitAsync();
        for (var i = 0; i < results.Length; i++)
        {
            if (results[i].Value.Value == 0)
            {
                results[i] = addresses[i] is not { } address ? new MailError(MailErrorCode.Cannot, $"'{accounts[i].User}' is no address.")
                    : !domains.ContainsKey(address.Domain) ? new MailError(MailErrorCode.NonExistent, $"There is no domain '{address.Domain}'.")
                    : Exists(names[i]!);
            }
        }
        return results;
    }

    private static MailError Exists(string user) => new(MailErrorCode.AlreadyExists, $"There is an account or alias '{user}' already.");

    // Locked against their deletion, and against aliases of the same address.
    private static async Task<Dictionary<string, (long Tenant, string Folders, int Count)>> DomainsAsync(NpgsqlConnection connection, string[] names)
    {
        await using var command = new NpgsqlCommand("""
            select d.name, d.tenant_id, coalesce(t.folders, $2::jsonb)::text, jsonb_array_length(coalesce(t.folders, $2::jsonb))
            from directory.domain d join directory.tenant t on t.id = d.tenant_id where d.name = any($1) order by d.name for share of d
            """, connection);
        command.Parameters.Add(new NpgsqlParameter { Value = names });
        command.Parameters.Add(new NpgsqlParameter { Value = BuiltInFolders });
        await using var reader = await command.ExecuteReaderAsync();
        var domains = new Dictionary<string, (long, string, int)>(StringComparer.Ordinal);
        while (await reader.ReadAsync())
            domains.Add(reader.GetString(0), (reader.GetInt64(1), reader.GetString(2), reader.GetInt32(3)));
        return domains;
    }

    private static async Task<HashSet<string>> TakenAsync(NpgsqlConnection connection, string[] names)
    {
        await using var command = new NpgsqlCommand(
            "select user_name from directory.account where user_name = any($1) union all select address from directory.alias where address = any($1)", connection);
        command.Parameters.Add(new NpgsqlParameter { Value = names });
        await using var reader = await command.ExecuteReaderAsync();
        var taken = new HashSet<string>(StringComparer.Ordinal);
        while (await reader.ReadAsync())
            taken.Add(reader.GetString(0));
        return taken;
    }
}
