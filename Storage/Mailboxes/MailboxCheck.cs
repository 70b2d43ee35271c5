using System.Runtime.CompilerServices;
using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using Npgsql;

namespace MailCluster.Storage.Mailboxes;

/// <summary>
/// Compares what rows say of each other: counters and messages, messages and flags, messages and bodies, usage and what is there. Works beside owners and clients:
/// each comparison is one statement, which sees one moment; everything is read by pages. A repair is one short statement under the row's lock.
/// </summary>
public sealed partial class MailboxCheck(NpgsqlDataSource database)
{
    private const int _page = 500;

    /// <summary>How many mailboxes the last run looked at.</summary>
    public long Mailboxes { get; private set; }

    /// <summary>How many messages the last run looked at.</summary>
    public long Messages { get; private set; }

    /// <summary>What is wrong, as it is found; nothing when all is well. One run at a time for each object.</summary>
    /// <exception cref="StoreUnavailableException">PostgreSQL can't be reached.</exception>
    public async IAsyncEnumerable<MailboxFinding> RunAsync(MailboxCheckOptions options, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        (Mailboxes, Messages) = (0, 0);
        await foreach (Account account in AccountsAsync(options, cancellationToken))
        {
            await foreach (MailboxFinding finding in AccountAsync(account, options, cancellationToken))
                yield return finding;
        }
        if (options.Account is null)
        {
            foreach (MailboxFinding finding in await TenantsAsync(options))
                yield return finding;
            await foreach (MailboxFinding finding in OrphansAsync(options, cancellationToken))
                yield return finding;
        }
    }

    private async IAsyncEnumerable<Account> AccountsAsync(MailboxCheckOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (long after = long.MinValue; ;)
        {
            List<Account> page = await ListAsync(
                """
                select a.account_id, a.user_name from mail.account a
                where a.account_id > $1 and ($2::bigint is null or a.account_id = $2) order by a.account_id limit $3
                """,
                static r => new Account(new AccountId(r.GetInt64(0)), r.GetString(1)), after, options.Account?.Value, _page);
            foreach (Account account in page)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return account;
            }
            if (page.Count < _page)
                yield break;
            after = page[^1].Id.Value;
        }
    }

    private async IAsyncEnumerable<MailboxFinding> AccountAsync(Account account, MailboxCheckOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        List<(long Id, string Path)> mailboxes = await ListAsync(
            """
            select b.id, array_to_string(b.path, '/') from mail.mailbox b
            where b.account_id = $1 and ($2::bigint is null or b.id = $2) and b.deleted_at is null order by b.id
            """,
            static r => (r.GetInt64(0), r.GetString(1)), account.Id.Value, options.Mailbox?.Value);
        foreach ((long id, string path) in mailboxes)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var key = new MailboxKey(account.Id, new MailboxId(id));
            foreach (MailboxFinding finding in await RowsAsync(key, account.User, path, options.Repair))
                yield return finding;
            await foreach (MailboxFinding finding in MessagesAsync(key, account.User, path, options.Bodies, cancellationToken))
                yield return finding;
            Mailboxes++;
        }
        if (options.Mailbox is null)
        {
            foreach (MailboxFinding finding in await UsageAsync(account, options.Repair))
                yield return finding;
        }
    }

    /// <summary>The mailbox's row against its messages and the logs.</summary>
    private async Task<IReadOnlyList<MailboxFinding>> RowsAsync(MailboxKey key, string user, string path, bool repair)
    {
        List<(MailboxFindingKind Kind, string Text)> wrong = (await ListAsync(
            """
            select b.messages, s.messages, b.unseen, s.unseen, b.deleted, s.deleted, b.bytes, s.bytes,
                b.uidnext, greatest(s.uid, x.uid, 0), b.highest_modseq, greatest(s.modseq, x.modseq, c.modseq, 0), b.first_recent, b.vanished_floor,
                s.without::text, o.uids::text
            from mail.mailbox b
            cross join lateral (
                select count(*) as messages, count(*) filter (where coalesce(f.flags, 0) & 1 = 0) as unseen, count(*) filter (where f.flags & 8 <> 0) as deleted,
                    coalesce(sum(m.size), 0)::bigint as bytes, max(m.uid) as uid, max(f.modseq) as modseq,
                    range_agg(int8range(m.uid, m.uid, '[]')) filter (where f.uid is null) as without
                from mail.message m left join mail.message_flags f on f.account_id = m.account_id and f.mailbox_id = m.mailbox_id and f.uid = m.uid
                where m.account_id = b.account_id and m.mailbox_id = b.id) s
            cross join lateral (
                select range_agg(int8range(f.uid, f.uid, '[]')) as uids from mail.message_flags f where f.account_id = b.account_id and f.mailbox_id = b.id
                    and not exists (select 1 from mail.message m where m.account_id = f.account_id and m.mailbox_id = f.mailbox_id and m.uid = f.uid)) o
            cross join lateral (
                select max(e.uid) as uid, max(e.modseq) as modseq from mail.expunged e where e.account_id = b.account_id and e.mailbox_id = b.id) x
            cross join lateral (select max(l.modseq) as modseq from mail.change l where l.account_id = b.account_id and l.mailbox_id = b.id) c
            where b.account_id = $1 and b.id = $2 and b.deleted_at is null
            """,
            Wrong, key.Account.Value, key.Mailbox.Value)).SelectMany(static w => w).ToList();
        bool repaired = wrong.Count > 0 && repair
            && await ListAsync("select changed from mail.repair_mailbox_v1($1, $2)", static r => r.GetBoolean(0), key.Account.Value, key.Mailbox.Value) is [true];
        return [.. wrong.Select(w => new MailboxFinding(w.Kind, user, path, key, null, w.Text, repaired))];
    }

    private static List<(MailboxFindingKind, string)> Wrong(NpgsqlDataReader row)
    {
        var wrong = new List<(MailboxFindingKind, string)>();
        foreach ((string name, int column) in new[] { ("messages", 0), ("unseen", 2), ("deleted", 4), ("bytes", 6) })
        {
            if (row.GetInt64(column) != row.GetInt64(column + 1))
                wrong.Add((MailboxFindingKind.Counter, $"the counter '{name}' is {row.GetInt64(column)}, its messages add up to {row.GetInt64(column + 1)}"));
        }
        (long uidNext, long lastUid, long modSeq, long lastModSeq) = (row.GetInt64(8), row.GetInt64(9), row.GetInt64(10), row.GetInt64(11));
        if (uidNext <= lastUid)
            wrong.Add((MailboxFindingKind.UidNext, $"UIDNEXT is {uidNext}, and UID {lastUid} was given out"));
        if (modSeq < lastModSeq)
            wrong.Add((MailboxFindingKind.HighestModSeq, $"HIGHESTMODSEQ is {modSeq}, and modseq {lastModSeq} was given out"));
        if (row.GetInt64(12) is var recent && (recent < 1 || recent > Math.Max(uidNext, lastUid + 1)))
            wrong.Add((MailboxFindingKind.Mark, $"the first recent UID is {recent}, UIDNEXT is {uidNext}"));
        if (row.GetInt64(13) is var floor && floor > Math.Max(modSeq, lastModSeq))
            wrong.Add((MailboxFindingKind.Mark, $"the log of changes begins at modseq {floor}, HIGHESTMODSEQ is {modSeq}"));
        if (!row.IsDBNull(14))
            wrong.Add((MailboxFindingKind.FlagsMissing, $"messages without flags: {row.GetString(14)}"));
        if (!row.IsDBNull(15))
            wrong.Add((MailboxFindingKind.FlagsOrphaned, $"flags without messages: {row.GetString(15)}"));
        return wrong;
    }

    /// <summary>The account's usage, and messages that belong to no mailbox.</summary>
    private async Task<IReadOnlyList<MailboxFinding>> UsageAsync(Account account, bool repair)
    {
        var findings = new List<MailboxFinding>();
        foreach ((long mailbox, long count) in await ListAsync(
            """
            select m.mailbox_id, count(*) from mail.message m where m.account_id = $1
                and not exists (select 1 from mail.mailbox b where b.account_id = m.account_id and b.id = m.mailbox_id) group by m.mailbox_id
            """, static r => (r.GetInt64(0), r.GetInt64(1)), account.Id.Value))
        {
            findings.Add(new MailboxFinding(MailboxFindingKind.MailboxMissing, account.User, null, null, null, $"{count} messages belong to mailbox {mailbox}, which does not exist", false));
        }
        foreach (string text in await ListAsync(
            """
            select a.messages, a.bytes, s.messages, s.bytes from mail.account a cross join lateral (
                select count(*) as messages, coalesce(sum(m.size), 0)::bigint as bytes from mail.message m
                join mail.mailbox b on b.account_id = m.account_id and b.id = m.mailbox_id and b.deleted_at is null where m.account_id = a.account_id) s
            where a.account_id = $1 and (a.messages, a.bytes) is distinct from (s.messages, s.bytes)
            """, Usage, account.Id.Value))
        {
            bool repaired = repair && await ScalarAsync("select mail.repair_account_v1($1)", account.Id.Value) is true;
            findings.Add(new MailboxFinding(MailboxFindingKind.AccountUsage, account.User, null, null, null, text, repaired));
        }
        return findings;
    }

    private async Task<IReadOnlyList<MailboxFinding>> TenantsAsync(MailboxCheckOptions options)
    {
        var findings = new List<MailboxFinding>();
        foreach ((long tenant, string name, string text) in await ListAsync(
            """
            select t.messages, t.bytes, s.messages, s.bytes, t.tenant_id, coalesce(d.name, t.tenant_id::text) from mail.tenant t cross join lateral (
                select coalesce(sum(a.messages), 0)::bigint as messages, coalesce(sum(a.bytes), 0)::bigint as bytes from mail.account a where a.tenant_id = t.tenant_id) s
            left join directory.tenant d on d.id = t.tenant_id
            where t.charged and (t.messages, t.bytes) is distinct from (s.messages, s.bytes) order by t.tenant_id
            """, static r => (r.GetInt64(4), r.GetString(5), Usage(r))))
        {
            bool repaired = options.Repair && await ScalarAsync("select mail.repair_tenant_v1($1)", tenant) is true;
            findings.Add(new MailboxFinding(MailboxFindingKind.TenantUsage, null, null, null, null, $"tenant {name}: {text}", repaired));
        }
        return findings;
    }

    private static string Usage(NpgsqlDataReader row) =>
        $"the usage is {row.GetInt64(0)} messages of {row.GetInt64(1)} octets, what is there adds up to {row.GetInt64(2)} of {row.GetInt64(3)}";

    private Task<List<T>> ListAsync<T>(string sql, Func<NpgsqlDataReader, T> read, params object?[] parameters) =>
        Store.Guard(() => database.ListAsync(sql, read, parameters));

    private Task<object?> ScalarAsync(string sql, params object?[] parameters) => Store.Guard(() => database.ScalarAsync(sql, parameters));

    private sealed record Account(AccountId Id, string User);
}
