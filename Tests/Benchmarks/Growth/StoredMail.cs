using MailCluster.Contracts.Content;
using MailCluster.Storage.Bodies;
using MailCluster.Storage.Content;
using MailCluster.Storage.Ids;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Benchmarks.Growth;

/// <summary>A body in the store.</summary>
internal readonly record struct FilledBody(long Id, long Size);

/// <summary>Messages that one mailbox is to hold, with UIDs from 1.</summary>
internal readonly record struct FilledMailbox(long Account, long Mailbox, int Messages);

/// <summary>
/// Fills mailboxes by COPY with the rows that APPEND would have left, some fifty times as fast. For mailboxes that nobody has opened yet. All have the same modseq, as one large APPEND would.
/// </summary>
internal sealed class StoredMail(NpgsqlDataSource database)
{
    /// <summary>Rows of one COPY: what is sent at once stays far below what a transaction may take.</summary>
    private const int Slice = 20_000;

    private readonly IdBlocks _ids = new(database);

    /// <summary>Stores bodies with what is known of them.</summary>
    public async Task<List<FilledBody>> AddBodiesAsync(long tenant, IEnumerable<byte[]> messages)
    {
        var all = new List<FilledBody>();
        foreach (byte[][] slice in messages.Chunk(2000))
        {
            long[] ids = await _ids.NextAsync(slice.Length);
            byte[][] contents = [.. slice.AsParallel().AsOrdered().Select(static m => ContentParser.Parse(m).Encode())];
            await using NpgsqlConnection connection = await OpenAsync();
            await CopyAsync(connection, "mail.body (id, tenant_id, size, crc32c)", slice.Length, (row, i) =>
            {
                var crc = new Crc32C();
                crc.Append(slice[i]);
                row.Write(ids[i], NpgsqlDbType.Bigint);
                row.Write(tenant, NpgsqlDbType.Bigint);
                row.Write((long)slice[i].Length, NpgsqlDbType.Bigint);
                row.Write(crc.Value, NpgsqlDbType.Integer);
            });
            await CopyAsync(connection, "mail.body_chunk (body_id, no, data)", slice.Length, (row, i) =>
            {
                row.Write(ids[i], NpgsqlDbType.Bigint);
                row.Write(0, NpgsqlDbType.Integer);
                row.Write(slice[i], NpgsqlDbType.Bytea);
            });
            await CopyAsync(connection, "mail.content (body_id, data)", slice.Length, (row, i) =>
            {
                row.Write(ids[i], NpgsqlDbType.Bigint);
                row.Write(contents[i], NpgsqlDbType.Bytea);
            });
            all.AddRange(slice.Select((m, i) => new FilledBody(ids[i], m.Length)));
        }
        return all;
    }

    /// <summary>Gives mailboxes their messages, which have these bodies in turn; each message is an email of its own.</summary>
    public async Task AddMessagesAsync(IReadOnlyList<FilledMailbox> mailboxes, IReadOnlyList<FilledBody> bodies)
    {
        long at = DateTimeOffset.UtcNow.AddDays(-30).ToUnixTimeSeconds();
        int next = 0;
        foreach ((FilledMailbox Of, int Uid)[] slice in mailboxes.SelectMany(static m => Enumerable.Range(1, m.Messages).Select(uid => (m, uid))).Chunk(Slice))
        {
            long[] emails = await _ids.NextAsync(slice.Length);
            int first = next;
            next += slice.Length;
            // Side by side: each table has a backend of its own.
            await Task.WhenAll(
                CopyAsync("mail.email (account_id, id, body_id, thread_id, size, internal_date, zone, prefix)", slice.Length, (row, i) =>
                {
                    FilledBody body = bodies[(first + i) % bodies.Count];
                    row.Write(slice[i].Of.Account, NpgsqlDbType.Bigint);
                    row.Write(emails[i], NpgsqlDbType.Bigint);
                    row.Write(body.Id, NpgsqlDbType.Bigint);
                    row.Write(emails[i], NpgsqlDbType.Bigint);
                    row.Write(body.Size, NpgsqlDbType.Bigint);
                    row.Write(DateTimeOffset.FromUnixTimeSeconds(at + slice[i].Uid).UtcDateTime, NpgsqlDbType.TimestampTz);
                    row.Write((short)0, NpgsqlDbType.Smallint);
                    row.Write(Array.Empty<byte>(), NpgsqlDbType.Bytea);
                }),
                CopyAsync("mail.message (account_id, mailbox_id, uid, email_id, thread_id, size, internal_date, zone)", slice.Length, (row, i) =>
                {
                    row.Write(slice[i].Of.Account, NpgsqlDbType.Bigint);
                    row.Write(slice[i].Of.Mailbox, NpgsqlDbType.Bigint);
                    row.Write((long)slice[i].Uid, NpgsqlDbType.Bigint);
                    row.Write(emails[i], NpgsqlDbType.Bigint);
                    row.Write(emails[i], NpgsqlDbType.Bigint);
                    row.Write(bodies[(first + i) % bodies.Count].Size, NpgsqlDbType.Bigint);
                    row.Write(DateTimeOffset.FromUnixTimeSeconds(at + slice[i].Uid).UtcDateTime, NpgsqlDbType.TimestampTz);
                    row.Write((short)0, NpgsqlDbType.Smallint);
                }),
                CopyAsync("mail.message_flags (account_id, mailbox_id, uid, flags, modseq)", slice.Length, (row, i) =>
                {
                    row.Write(slice[i].Of.Account, NpgsqlDbType.Bigint);
                    row.Write(slice[i].Of.Mailbox, NpgsqlDbType.Bigint);
                    row.Write((long)slice[i].Uid, NpgsqlDbType.Bigint);
                    row.Write((short)0, NpgsqlDbType.Smallint);
                    row.Write(2L, NpgsqlDbType.Bigint);
                }));
        }
        await CountAsync(mailboxes);
    }

    /// <summary>What autovacuum would have done by the next day.</summary>
    public async Task SettleAsync()
    {
        await using NpgsqlConnection connection = await OpenAsync();
        await ExecuteAsync(connection, "vacuum (analyze, freeze) mail.email, mail.message, mail.message_flags, mail.mailbox, mail.account, mail.body, mail.body_chunk, mail.content, directory.account");
        await ExecuteAsync(connection, "checkpoint");
    }

    // The counters of mailboxes and accounts, and the log of what came.
    private async Task CountAsync(IReadOnlyList<FilledMailbox> mailboxes)
    {
        await using NpgsqlConnection connection = await OpenAsync();
        foreach (FilledMailbox[] slice in mailboxes.Chunk(Slice))
        {
            await ExecuteAsync(connection,
                """
                with counted as materialized (
                    select x.account_id, x.mailbox_id, count(*) as messages, sum(m.size)::bigint as bytes, max(m.uid) as uid
                    from unnest($1, $2) as x(account_id, mailbox_id) join mail.message m on m.account_id = x.account_id and m.mailbox_id = x.mailbox_id
                    group by x.account_id, x.mailbox_id
                ), mailbox as (
                    update mail.mailbox b set messages = c.messages, unseen = c.messages, bytes = c.bytes, uidnext = c.uid + 1, highest_modseq = 2
                    from counted c where b.account_id = c.account_id and b.id = c.mailbox_id
                ), account as (
                    update mail.account a set messages = c.messages, bytes = c.bytes from counted c where a.account_id = c.account_id
                )
                insert into mail.change (account_id, mailbox_id, modseq, kind, uids, actor, session, incarnation, counter)
                select c.account_id, c.mailbox_id, 2, 1, int8multirange(int8range(1, c.uid, '[]')), 'bench', 'bench', 0, 0 from counted c
                """,
                slice.Select(static m => m.Account).ToArray(), slice.Select(static m => m.Mailbox).ToArray());
        }
    }

    private async Task CopyAsync(string table, int rows, Action<NpgsqlBinaryImporter, int> write)
    {
        await using NpgsqlConnection connection = await OpenAsync();
        await CopyAsync(connection, table, rows, write);
    }

    private static Task CopyAsync(NpgsqlConnection connection, string table, int rows, Action<NpgsqlBinaryImporter, int> write) => Task.Run(() =>
    {
        using NpgsqlBinaryImporter importer = connection.BeginBinaryImport($"copy {table} from stdin (format binary)");
        importer.Timeout = TimeSpan.FromMinutes(5);
        for (int i = 0; i < rows; i++)
        {
            importer.StartRow();
            write(importer, i);
        }
        importer.Complete();
    });

    private async Task<NpgsqlConnection> OpenAsync()
    {
        NpgsqlConnection connection = await database.OpenConnectionAsync();
        await ExecuteAsync(connection, "set synchronous_commit = off");
        return connection;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, params object[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        foreach (object parameter in parameters)
            command.Parameters.Add(new NpgsqlParameter { Value = parameter });
        await command.ExecuteNonQueryAsync();
    }
}
