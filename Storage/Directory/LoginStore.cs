using System.Net;
using System.Security.Cryptography;
using System.Text;
using MailCluster.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Directories;

/// <summary>An operator as its owner needs it.</summary>
public sealed record DirectoryOperator(string Name, string Verifier, IReadOnlyList<TenantId>? Tenants);

/// <summary>What owners read and write for log-ins beside the account's row. All methods throw <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.</summary>
public sealed class LoginStore(NpgsqlDataSource database)
{
    private const int SaltSize = 16;

    private byte[]? _secret;

    /// <summary>
    /// The salt of a user who has no verifier of this kind, or does not exist: always the same for a name, on all nodes, and not to be told from a real one (RFC 5802 §9).
    /// The verifier that takes the place of another system's hash has it, too, so that nobody sees the change.
    /// </summary>
    public async ValueTask<byte[]> SaltOfAsync(string user, ScramHash hash)
    {
        byte[] secret = _secret ??= await Store.Guard(async () =>
            (byte[]?)await database.ScalarAsync("select value from directory.secret where name = 'scram-salt'") ?? throw new InvalidOperationException("The directory has no secret."));
        string name = MailAddress.Parse(user)?.ToString() ?? user.ToLowerInvariant();
        return HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes($"{hash}:{name}"))[..SaltSize];
    }

    /// <summary>Puts verifiers in the place of a hash, unless it was changed meanwhile.</summary>
    public Task ReplaceVerifierAsync(AccountId account, string old, string verifier, string? sha1) => Store.Guard(async () =>
        await database.ExecuteAsync("update directory.account set verifier = $3, verifier_sha1 = $4::text where id = $1 and verifier = $2", account.Value, old, verifier, sha1));

    /// <summary>Notes the use of an application password; best effort.</summary>
    public async Task NoteAppPasswordAsync(AccountId account, string name, IPAddress? address)
    {
        try
        {
            await using NpgsqlCommand command = database.CreateCommand("""
                update directory.app_password set last_used = now(), last_address = $3
                where account_id = $1 and name = $2 and set_config('synchronous_commit', 'off', true) is not null
                """);
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = account.Value });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
            command.Parameters.Add(new NpgsqlParameter { Value = (object?)address ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Inet });
            await command.ExecuteNonQueryAsync();
        }
        catch (Exception e) when (Store.IsOutage(e))
        {
        }
    }

    /// <summary>The token issuer of the tenant that a user's domain belongs to, whether there is the user or not; without a user all of a name.</summary>
    public Task<IReadOnlyList<TokenIssuer>> FindIssuersAsync(string? user, string? issuer) => Store.Guard<IReadOnlyList<TokenIssuer>>(async () =>
    {
        string? domain = user is null ? null : MailAddress.Parse(user)?.Domain;
        return user is not null && domain is null ? [] : await database.ListAsync("""
            select t.id, t.token_issuer::text from directory.tenant t
            where t.enabled and t.token_issuer is not null and case when $1::text is not null
                then t.id = (select d.tenant_id from directory.domain d where d.name = $1) else t.token_issuer->>'issuer' = $2 end
            order by t.id limit 100
            """, static r => TenantStore.ParseIssuer(new TenantId(r.GetInt64(0)), r.GetString(1)), domain, issuer);
    });

    /// <summary>Null when there is none of this name.</summary>
    public Task<DirectoryOperator?> FindOperatorAsync(string name) => Store.Guard(async () => (await database.ListAsync(
        "select name, verifier, tenants from directory.operator where name = $1",
        static r => new DirectoryOperator(r.GetString(0), r.GetString(1), r.IsDBNull(2) ? null : [.. r.GetFieldValue<long[]>(2).Select(static t => new TenantId(t))]), name.ToLowerInvariant()))
        .SingleOrDefault());

    /// <summary>Notes an operator's log-in; best effort.</summary>
    public async Task NoteOperatorAsync(string name, IPAddress? address)
    {
        try
        {
            await using NpgsqlCommand command = database.CreateCommand("update directory.operator set last_login = now(), last_address = $2 where name = $1");
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
            command.Parameters.Add(new NpgsqlParameter { Value = (object?)address ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Inet });
            await command.ExecuteNonQueryAsync();
        }
        catch (Exception e) when (Store.IsOutage(e))
        {
        }
    }
}
