using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Npgsql;

namespace MailCluster.Storage.Mailboxes;

/// <summary>Finds accounts and mailboxes by the names that people use.</summary>
public static class MailboxLookup
{
    /// <summary>The account of a log-in name; <see cref="MailErrorCode.NonExistent"/>.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL can't be reached.</exception>
    public static Task<MailResult<AccountId>> AccountAsync(NpgsqlDataSource database, string user) => Store.Guard<MailResult<AccountId>>(async () =>
        await database.ScalarAsync("select id from directory.account where user_name = $1", MailAddress.Parse(user)?.ToString() ?? user) is long account
            ? new AccountId(account)
            : new MailError(MailErrorCode.NonExistent, $"There is no account '{user}'."));

    /// <summary>The mailbox of a name, its segments joined by '/' or by the account's own delimiter; <see cref="MailErrorCode.NonExistent"/>.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL can't be reached.</exception>
    public static async Task<MailResult<MailboxKey>> MailboxAsync(NpgsqlDataSource database, string user, string name)
    {
        MailResult<AccountId> account = await AccountAsync(database, user);
        if (!account.IsOk)
            return account.Error;
        object? id = await Store.Guard(() => database.ScalarAsync(
            """
            select m.id from mail.mailbox m join directory.account a on a.id = m.account_id join directory.tenant t on t.id = a.tenant_id
            where m.account_id = $1 and m.deleted_at is null and (m.path = $2 or m.path = $3 or m.path = string_to_array($4, coalesce(a.delimiter, t.delimiter)))
            order by m.path = $2 desc, m.path = $3 desc limit 1
            """,
            account.Value.Value, Segments(name.Normalize()), Segments(name), name.Normalize()));
        return id is long mailbox
            ? new MailboxKey(account.Value, new MailboxId(mailbox))
            : new MailError(MailErrorCode.NonExistent, $"{user} has no mailbox '{name}'.");
    }

    private static string[] Segments(string name) => name.Length == 0 ? [""] : [.. MailboxPath.Parse(name, '/').Segments];
}
