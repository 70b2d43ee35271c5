using System.Data;
using System.Runtime.CompilerServices;
using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using MailCluster.Storage.Directories;
using Npgsql;

namespace MailCluster.Storage.Mailboxes;

/// <summary>Messages and their bytes; bytes and who refers to them.</summary>
public sealed partial class MailboxCheck
{
    /// <summary>Each message's email, body and content, page by page.</summary>
    private async IAsyncEnumerable<MailboxFinding> MessagesAsync(
        MailboxKey key, string user, string path, bool bodies, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (long after = 0; ;)
        {
            // Everything by key: the limits keep the planner from joining whole tables.
            List<Stored> page = await ListAsync(
                """
                select m.uid, m.size, m.email_id, e.body_id, e.size, octet_length(e.prefix), b.size, b.crc32c, b.location,
                    (select count(*) from mail.body_chunk c where c.body_id = e.body_id), (select max(c.no) from mail.body_chunk c where c.body_id = e.body_id),
                    (select coalesce(sum(octet_length(c.data)), 0)::bigint from mail.body_chunk c where c.body_id = e.body_id),
                    exists (select 1 from mail.content t where t.body_id = e.body_id), b.codec
                from (select * from mail.message m where m.account_id = $1 and m.mailbox_id = $2 and m.uid > $3 order by m.uid limit $4) m
                left join lateral (select * from mail.email e where e.account_id = m.account_id and e.id = m.email_id limit 1) e on true
                left join lateral (select * from mail.body b where b.id = e.body_id limit 1) b on true
                order by m.uid
                """, Stored.Read, key.Account.Value, key.Mailbox.Value, after, _page);
            foreach (Stored message in page)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (message.Wrong() is { } text)
                    yield return new MailboxFinding(MailboxFindingKind.Body, user, path, key, (uint)message.Uid, text, false);
                else if (bodies && !await IsAsStoredAsync(message))
                    yield return new MailboxFinding(MailboxFindingKind.Checksum, user, path, key, (uint)message.Uid, $"body {message.Body} has other octets than were stored", false);
            }
            Messages += page.Count;
            if (page.Count < _page)
                yield break;
            after = page[^1].Uid;
        }
    }

    private Task<bool> IsAsStoredAsync(Stored message) => Store.Guard(async () =>
    {
        var crc = new Crc32C();
        byte[] buffer = new byte[64 * 1024];
        await using NpgsqlCommand command = database.CreateCommand("select data from mail.body_chunk where body_id = $1 order by no");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = message.Body!.Value });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(CommandBehavior.SequentialAccess);
        while (await reader.ReadAsync())
        {
            await using Stream data = await reader.GetStreamAsync(0);
            for (int read; (read = await data.ReadAsync(buffer)) > 0;)
                crc.Append(buffer.AsSpan(0, read));
        }
        return crc.Value == message.Crc32C;
    });

    /// <summary>Bodies that no email and no claim refers to, and that the collector does not have in its list, or has had there for too long.</summary>
    private async IAsyncEnumerable<MailboxFinding> OrphansAsync(MailboxCheckOptions options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (long after = long.MinValue; ;)
        {
            List<(long Body, bool Orphaned, bool Marked)> page = await ListAsync(
                """
                select b.id, m.body_id is not null,
                    greatest(b.created, m.at) < now() - $2 and not exists (select 1 from mail.email e where e.body_id = b.id)
                    and not exists (select 1 from mail.body_staged s where s.body_id = b.id)
                from (select * from mail.body b where b.id > $1 order by b.id limit $3) b
                left join lateral (select * from mail.body_marked m where m.body_id = b.id limit 1) m on true order by b.id
                """, static r => (r.GetInt64(0), r.GetBoolean(2), r.GetBoolean(1)), after, options.BodyGrace, _page);
            foreach ((long body, bool orphaned, bool marked) in page)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (!orphaned)
                    continue;
                bool repaired = options.Repair && !marked && await ScalarAsync(
                    "with mark as (insert into mail.body_marked (body_id) values ($1) on conflict do nothing) update mail.body set state = 1 where id = $1 returning true", body) is true;
                yield return new MailboxFinding(MailboxFindingKind.BodyOrphaned, null, null, null, null,
                    $"nothing refers to body {body}, {(marked ? "and the collector has not removed it" : "and the collector does not know")}", repaired);
            }
            if (page.Count < _page)
                yield break;
            after = page[^1].Body;
        }
    }

    /// <summary>A message and what was found of its bytes; null where the row is missing.</summary>
    private sealed record Stored(
        long Uid, long Size, long Email, long? Body, long? EmailSize, int Prefix, long? BodySize, int? Crc32C, short Location, long Chunks, int LastChunk, long ChunkBytes,
        bool Content, short Codec)
    {
        public static Stored Read(NpgsqlDataReader r) => new(
            r.GetInt64(0), r.GetInt64(1), r.GetInt64(2), r.NullableInt64(3), r.NullableInt64(4), r.IsDBNull(5) ? 0 : r.GetInt32(5), r.NullableInt64(6),
            r.IsDBNull(7) ? null : r.GetInt32(7), r.IsDBNull(8) ? (short)0 : r.GetInt16(8), r.GetInt64(9), r.IsDBNull(10) ? -1 : r.GetInt32(10), r.GetInt64(11),
            r.GetBoolean(12), r.IsDBNull(13) ? (short)0 : r.GetInt16(13));

        public string? Wrong() => this switch
        {
            { Body: null } => $"its email {Email} is missing",
            { BodySize: null } => $"its body {Body} is missing",
            { Content: false } => $"the parsed content of its body {Body} is missing",
            // Bytes that are elsewhere or packed have no length here.
            { Location: 0 } when Chunks != LastChunk + 1 => $"its body {Body} has {Chunks} chunks, the last one is number {LastChunk}",
            { Location: 0, Codec: 0 } when ChunkBytes != BodySize => $"its body {Body} has {ChunkBytes} octets, {BodySize} were stored",
            _ when EmailSize != Prefix + BodySize || Size != EmailSize => $"its size is {Size}, its email's {EmailSize}, and prefix and body are {Prefix + BodySize}",
            _ => null,
        };
    }
}
