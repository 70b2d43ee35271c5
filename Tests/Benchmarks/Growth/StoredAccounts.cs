using MailCluster.Benchmarks.Load;
using Npgsql;

namespace MailCluster.Benchmarks.Growth;

/// <summary>Puts accounts by the thousand into the tables, with their folders and messages, as provisioning and deliveries would have left them.</summary>
/// <param name="database">With the tenant "test" and its domain.</param>
/// <param name="name">What their names begin with.</param>
internal sealed class StoredAccounts(NpgsqlDataSource database, string name)
{
    /// <summary>Bodies that all of them share.</summary>
    private const int Bodies = 1000;

    /// <summary>The user with this number, from 0.</summary>
    public string User(int number) => $"{name}{number:D7}@test.example";

    /// <summary>Mail to many, as newsletters are: one body for all who got it.</summary>
    public async Task<List<FilledBody>> AddBodiesAsync(int octets)
    {
        await using NpgsqlCommand command = database.CreateCommand("select id from directory.tenant where name = 'test'");
        return await new StoredMail(database).AddBodiesAsync((long)(await command.ExecuteScalarAsync())!, Enumerable.Range(1, Bodies).Select(i => SampleMessages.Of(i, octets)));
    }

    /// <summary>The users from a number to before another, by one statement: all of them are there or none.</summary>
    /// <param name="messages">Of each, in its INBOX.</param>
    /// <param name="bodies">Messages have them in turn.</param>
    public async Task AddAsync(int from, int to, int messages, IReadOnlyList<FilledBody> bodies)
    {
        await using NpgsqlConnection connection = await database.OpenConnectionAsync();
        await using (var flush = new NpgsqlCommand("set synchronous_commit = off", connection))
            await flush.ExecuteNonQueryAsync();
        await using var command = new NpgsqlCommand(
            """
            with ids as materialized (
                -- Blocks of ids, as a node takes them: an account, six folders, and an email for each message.
                select setval('directory.id_block', nextval('directory.id_block') + ($2 - $1) * (7 + $3) / 4096 * 4096) - ($2 - $1) * (7 + $3) / 4096 * 4096 as first
            ), tenant as materialized (
                select id from directory.tenant where name = 'test'
            ), a as materialized (
                select i.first + (n - $1) * (7 + $3) as id, t.id as tenant_id, $7 || lpad(n::text, 7, '0') || '@test.example' as user_name, n
                from ids i, tenant t, generate_series($1, $2 - 1) n
            ), folder(no, path, use) as (
                values (1, 'INBOX', null), (2, 'Sent', '\Sent'), (3, 'Drafts', '\Drafts'), (4, 'Trash', '\Trash'), (5, 'Junk', '\Junk'), (6, 'Archive', '\Archive')
            ), body as materialized (
                select * from unnest($4, $5) with ordinality as b(id, size, no)
            ), e as materialized (
                select a.id as account_id, a.id + 1 as mailbox_id, u as uid, a.id + 6 + u as id, b.id as body_id, b.size, now() - interval '30 days' + u * interval '1 hour' as at
                from a cross join generate_series(1, $3) u join body b on b.no = (a.n * $3 + u) % cardinality($4) + 1
            ), counted as materialized (
                select e.account_id, sum(e.size)::bigint as bytes from e group by e.account_id
            ), i1 as (
                insert into directory.account (id, tenant_id, user_name, verifier) select a.id, a.tenant_id, a.user_name, $6 from a
            ), i2 as (
                insert into mail.account (account_id, tenant_id, user_name, messages, bytes, last_uidvalidity)
                select a.id, a.tenant_id, a.user_name, $3, coalesce(c.bytes, 0), extract(epoch from now())::bigint from a left join counted c on c.account_id = a.id
            ), i3 as (
                insert into mail.mailbox (account_id, id, path, special_use, uidvalidity, uidnext, highest_modseq, messages, unseen, bytes)
                select a.id, a.id + f.no, array[f.path], array_remove(array[f.use], null), extract(epoch from now())::bigint,
                    case f.no when 1 then $3 + 1 else 1 end, case f.no when 1 then 2 else 1 end, case f.no when 1 then $3 else 0 end, case f.no when 1 then $3 else 0 end,
                    case f.no when 1 then coalesce(c.bytes, 0) else 0 end
                from a cross join folder f left join counted c on c.account_id = a.id
            ), i4 as (
                insert into mail.subscription (account_id, path) select a.id, array[f.path] from a cross join folder f
            ), i5 as (
                insert into mail.email (account_id, id, body_id, thread_id, size, internal_date, zone, prefix) select account_id, id, body_id, id, size, at, 0, '' from e
            ), i6 as (
                insert into mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone) select account_id, mailbox_id, uid, id, id, size, at, 0 from e
            ), i7 as (
                insert into mail.message_flags (account_id, mailbox_id, uid, flags, modseq) select account_id, mailbox_id, uid, 0, 2 from e
            )
            insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, incarnation, counter)
            select a.id, a.id + 1, 2, 1, int8multirange(int8range(1, $3, '[]')), 'bench', 'bench', 0, 0 from a where $3 > 0
            """, connection) { CommandTimeout = 0 };
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = from });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = to });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = messages });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. bodies.Select(static b => b.Id)] });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. bodies.Select(static b => b.Size)] });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = MailboxGrowth.Verifier });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        await command.ExecuteNonQueryAsync();
    }
}
