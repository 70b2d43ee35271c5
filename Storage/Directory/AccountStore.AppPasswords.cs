using System.Net;
using MailCluster.Contracts;

namespace MailCluster.Storage.Directories;

public sealed partial class AccountStore
{
    /// <summary>Application passwords of one account.</summary>
    public const int MaxAppPasswords = 50;

    /// <summary>
    /// Adds an application password. Failures: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.AlreadyExists"/> (the name), <see cref="MailErrorCode.Limit"/>, <see cref="MailErrorCode.Cannot"/> (the name).
    /// </summary>
    /// <param name="hash">See <see cref="AppPassword.HashOf"/>.</param>
    public async Task<MailResult<Done>> AddAppPasswordAsync(string user, string name, byte[] hash, IReadOnlyList<string>? protocols, IReadOnlyList<IPNetwork>? networks)
    {
        if (name.Length is 0 or > 100 || name.Any(char.IsControl))
            return new MailError(MailErrorCode.Cannot, "An application password's name has 1 to 100 characters, none of them a control character.");
        MailError? refused = null;
        MailResult<Done> changed = await ChangeAsync(user, DirectoryEventKind.Settings, async (connection, account) =>
        {
            if (await connection.ScalarAsync("select count(*) from directory.app_password where account_id = $1", account) is >= (long)MaxAppPasswords)
                refused = new MailError(MailErrorCode.Limit, $"An account has at most {MaxAppPasswords} application passwords.");
            else if (await connection.ExecuteAsync("""
                insert into directory.app_password (account_id, name, hash, protocols, networks) values ($1, $2, $3, $4::text[], $5::text[]::cidr[]) on conflict do nothing
                """, account, name, hash, protocols?.ToArray(), networks?.Select(static n => n.ToString()).ToArray()) == 0)
                refused = new MailError(MailErrorCode.AlreadyExists, $"'{user}' has an application password '{name}' already.");
            return 1;
        });
        return refused is not null && changed.IsOk ? refused : changed;
    }

    /// <summary>Takes one away, and ends the account's sessions: which of them it opened is not known. Failure: <see cref="MailErrorCode.NonExistent"/>.</summary>
    public async Task<MailResult<Done>> RemoveAppPasswordAsync(string user, string name)
    {
        bool found = false;
        MailResult<Done> changed = await ChangeAsync(user, DirectoryEventKind.Password, async (connection, account) =>
        {
            found = await connection.ExecuteAsync("delete from directory.app_password where account_id = $1 and name = $2", account, name) > 0;
            return 1;
        });
        return changed.IsOk && !found ? new MailError(MailErrorCode.NonExistent, $"'{user}' has no application password '{name}'.") : changed;
    }

    /// <summary>An account's application passwords by name; null when there is no such account.</summary>
    public Task<List<AppPasswordRow>?> ListAppPasswordsAsync(string user) => Store.Guard(async () =>
        await database.ScalarAsync("select id from directory.account where user_name = $1", MailAddress.Parse(user)?.ToString() ?? user) is long account
            ? await database.ListAsync(
                "select name, protocols, networks::text[], created, last_used, last_address from directory.app_password where account_id = $1 order by name",
                r => new AppPasswordRow(r.GetString(0), r.IsDBNull(1) ? null : r.GetFieldValue<string[]>(1), r.IsDBNull(2) ? null : r.GetFieldValue<string[]>(2), r.GetDateTime(3),
                    r.IsDBNull(4) ? null : r.GetDateTime(4), r.IsDBNull(5) ? null : r.GetFieldValue<IPAddress>(5)), account)
            : null);
}
