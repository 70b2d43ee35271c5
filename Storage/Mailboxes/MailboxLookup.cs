using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Npgsql;

namespace MailCluster.Storage.Mailboxes;

/// <summary>Finds accounts and mailboxes by the names that people use.</summary>
public static class MailboxLookup
{
    /// <summary>Composed by PostgreSQL, since .NET without ICU leaves names as they are. $2: the name's segments by '/', $3: the name.</summary>
    private const string Names =
        """
        cross join lateral (select array(select normalize(s, nfc) from unnest($2) with ordinality as u(s, i) order by i) as slashed,
            string_to_array(normalize($3, nfc), coalesce(a.delimiter, t.delimiter)) as own) n
        """;

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
            $"""
            select m.id from mail.mailbox m join directory.account a on a.id = m.account_id join directory.tenant t on t.id = a.tenant_id {Names}
            where m.account_id = $1 and m.deleted_at is null and m.path in (n.slashed, $2, n.own)
            order by m.path = n.slashed desc, m.path = $2 desc limit 1
            """,
            account.Value.Value, Segments(name), name));
        return id is long mailbox
            ? new MailboxKey(account.Value, new MailboxId(mailbox))
            : new MailError(MailErrorCode.NonExistent, $"{user} has no mailbox '{name}'.");
    }

    /// <summary>
    /// The mailboxes whose expunged messages can be meant by a name: the one that has it now, and deleted ones that had it then, the last one first, or whose id it is (those that a
    /// release before their names were kept has removed have no name any more); <see cref="MailErrorCode.NonExistent"/>.
    /// </summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL can't be reached.</exception>
    public static Task<MailResult<IReadOnlyList<OnceMailbox>>> EverAsync(NpgsqlDataSource database, AccountId account, string name) => Store.Guard<MailResult<IReadOnlyList<OnceMailbox>>>(async () =>
    {
        List<OnceMailbox> found = await database.ListAsync(
            $"""
            with named as (
                select m.id, m.path, null::timestamptz as deleted from mail.mailbox m where m.account_id = $1 and m.deleted_at is null
                union all select g.mailbox_id, g.path, g.at from mail.mailbox_gone g where g.account_id = $1
            ), known as (
                select * from named union all select distinct x.mailbox_id, null::text[], '-infinity'::timestamptz from mail.expunged x
                where x.account_id = $1 and x.mailbox_id::text = $3 and x.mailbox_id not in (select id from named)
            )
            select m.id, m.path, m.deleted from known m cross join directory.account a join directory.tenant t on t.id = a.tenant_id {Names}
            where a.id = $1 and (m.path in (n.slashed, $2, n.own) or m.id::text = $3)
            order by 3 desc nulls first
            """,
            static r => new OnceMailbox(new MailboxId(r.GetInt64(0)), r.IsDBNull(1) ? null : MailboxPath.Of(r.GetFieldValue<string[]>(1)), r.IsDBNull(2)),
            account.Value, Segments(name), name);
        return found.Count > 0 ? found : new MailError(MailErrorCode.NonExistent, $"There is no mailbox '{name}', and none of this name was deleted that anything is kept of.");
    });

    private static string[] Segments(string name) => name.Length == 0 ? [""] : [.. MailboxPath.Parse(name, '/').Segments];
}

/// <summary>A mailbox that is there or was.</summary>
/// <param name="Path">Null: not known any more.</param>
/// <param name="Exists">It is there.</param>
public sealed record OnceMailbox(MailboxId Id, MailboxPath? Path, bool Exists);
