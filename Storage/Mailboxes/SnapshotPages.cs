using MailCluster.Contracts;
using Npgsql;

namespace MailCluster.Storage.Mailboxes;

/// <summary>When versions of mailboxes are kept packed (mail.snapshot).</summary>
public sealed record SnapshotPageOptions
{
    /// <summary>Messages of the smallest mailbox that has pages. Default 2,000: fewer are read from the rows in some milliseconds.</summary>
    public int MinMessages { get; init; } = 2000;

    /// <summary>Messages that changed since the pages were written, above which they are written anew after a load. Default 500: so many rows are read as fast as the pages.</summary>
    public int MinChanges { get; init; } = 500;
}

/// <summary>A version that pages held, with what has changed since: its chunks that are also <paramref name="Packed"/>'s are on their pages as they are.</summary>
/// <param name="Stamp">Of the version on the pages.</param>
/// <param name="Packed">Its chunks.</param>
/// <param name="Changed">How many messages were read from rows or found gone.</param>
internal sealed record PackedVersion(MailboxSnapshot Snapshot, long Stamp, IReadOnlyList<MessageChunk> Packed, long Changed);

/// <summary>Reads and writes packed versions of a mailbox. Nothing here is believed that the mailbox's row does not confirm, so that the pages may be missing, old or damaged.</summary>
internal static class SnapshotPages
{
    /// <summary>The part of a mailbox that may have changed since its pages were written; with more, the rows are read in one go.</summary>
    private const int LargestPart = 8;

    /// <summary>The most changes that are looked up in the log: so many take as long as the rows of a large mailbox.</summary>
    private const int MostChanges = 20_000;

    private static readonly KeywordTableConverter _tables = new();

    /// <summary>The version of the row's counters, or null: there are no pages, or they are not good enough.</summary>
    /// <param name="connection">In a transaction that sees one moment, the one of <paramref name="status"/>.</param>
    /// <param name="floor">The log of changes begins after this modseq.</param>
    /// <param name="names">The mailbox's keywords.</param>
    public static async Task<PackedVersion?> ReadAsync(
        NpgsqlConnection connection, MailboxKey key, long epoch, MailboxStatus status, long floor, IReadOnlyDictionary<short, string> names)
    {
        if (await HeaderAsync(connection, key) is not { } header || header.ModSeq < floor || header.ModSeq > status.HighestModSeq)
            return null;
        UidSet? changed = header.ModSeq == status.HighestModSeq ? UidSet.Empty : await ChangedAsync(connection, key, header.ModSeq, status.HighestModSeq);
        if (changed is null || changed.Cardinality > Math.Max(status.Messages / LargestPart, MessageChunk.Capacity))
            return null;
        if (await ChunksAsync(connection, key, header.Pages, header.Keywords) is not { } chunks)
            return null;
        MailboxSnapshot snapshot = MailboxSnapshot.Of(epoch, header.ModSeq, status.UidNext, header.Keywords, chunks, status.UidValidity);
        if (!changed.IsEmpty || header.ModSeq != status.HighestModSeq)
        {
            // What was touched is taken out, and what is there of it now is put in.
            MailboxSnapshot rows = await RowsAsync(connection, key, epoch, changed, names);
            snapshot = snapshot.Apply(new MailboxDelta(epoch, header.ModSeq, status.HighestModSeq, [new MessagesExpunged(status.HighestModSeq, changed)])).Retaining(rows, changed);
        }
        return Fits(snapshot, status) ? new PackedVersion(snapshot, header.Stamp, chunks, changed.Cardinality) : null;
    }

    /// <summary>Writes a version, as the owner of its epoch; of one that came from pages only what differs. False: it is not the owner any more, or another has written meanwhile.</summary>
    public static async Task<bool> WriteAsync(NpgsqlDataSource database, MailboxKey key, MailboxSnapshot snapshot, PackedVersion? basedOn)
    {
        int[] pages = [.. Enumerable.Range(0, snapshot.Chunks.Count).Where(i =>
            basedOn is null || i >= basedOn.Packed.Count || !ReferenceEquals(basedOn.Packed[i], snapshot.Chunks[i]))];
        await using NpgsqlCommand command = database.CreateCommand("select mail.save_snapshot_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = key.Account.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = key.Mailbox.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = snapshot.Epoch });
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)basedOn?.Stamp ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = snapshot.ModSeq });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Random.Shared.NextInt64() });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = snapshot.Chunks.Count });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. _tables.ConvertToSurrogate(snapshot.Keywords).Sets.Select(static s => string.Join(' ', s))] });
        command.Parameters.Add(new NpgsqlParameter<int[]> { TypedValue = pages });
        command.Parameters.Add(new NpgsqlParameter<byte[][]> { TypedValue = [.. pages.Select(i => PackedChunk.Pack(snapshot.Chunks[i]))] });
        return (bool)(await command.ExecuteScalarAsync())!;
    }

    private static async Task<(long ModSeq, long Stamp, int Pages, KeywordTable Keywords)?> HeaderAsync(NpgsqlConnection connection, MailboxKey key)
    {
        await using NpgsqlCommand command = Command(connection, "select modseq, stamp, pages, keyword_sets from mail.snapshot where account_id = $1 and mailbox_id = $2", key);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        if (!await reader.ReadAsync())
            return null;
        string[][] sets = [.. reader.GetFieldValue<string[]>(3).Select(static s => s.Split(' '))];
        return (reader.GetInt64(0), reader.GetInt64(1), reader.GetInt32(2), _tables.ConvertFromSurrogate(new KeywordTableSurrogate { Sets = sets }));
    }

    /// <summary>The UIDs of all that came, went or changed after a version; null where the log has not each change, one a modseq: of changes of flags it may forget some without raising the floor.</summary>
    private static async Task<UidSet?> ChangedAsync(NpgsqlConnection connection, MailboxKey key, long since, long until)
    {
        if (until - since > MostChanges)
            return null;
        await using NpgsqlCommand command = Command(connection,
            "select range_agg(c.uids), count(*) from mail.change c where c.account_id = $1 and c.mailbox_id = $2 and c.modseq > $3", key);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = since });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        return reader.GetInt64(1) == until - since ? Multirange.Read(reader, 0) : null;
    }

    private static async Task<List<MessageChunk>?> ChunksAsync(NpgsqlConnection connection, MailboxKey key, int pages, KeywordTable keywords)
    {
        long last = 0;
        var chunks = new List<MessageChunk>(pages);
        await using NpgsqlCommand command = Command(connection, "select data from mail.snapshot_page where account_id = $1 and mailbox_id = $2 order by no", key);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            if (PackedChunk.Unpack(reader.GetFieldValue<byte[]>(0)) is not { } chunk || chunk.FirstUid <= last
                || chunk.Flags.Max(FlagCode.KeywordSet) >= keywords.Count)
                return null;
            last = chunk.LastUid;
            chunks.Add(chunk);
        }
        return chunks.Count == pages ? chunks : null;
    }

    private static async Task<MailboxSnapshot> RowsAsync(NpgsqlConnection connection, MailboxKey key, long epoch, UidSet uids, IReadOnlyDictionary<short, string> names)
    {
        var builder = new SnapshotBuilder(names);
        await using NpgsqlCommand command = Command(connection,
            $"""
            select {SnapshotBuilder.Columns} from unnest($3) as u(uid)
            join mail.message m on m.account_id = $1 and m.mailbox_id = $2 and m.uid = u.uid
            join mail.message_flags f on f.account_id = $1 and f.mailbox_id = $2 and f.uid = u.uid
            order by m.uid
            """, key);
        // One by one, not by ranges: PostgreSQL takes a range for a ninth of the mailbox, and reads all of it for each (measured with a million messages: longer than a command may take).
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. uids.Uids().Select(static u => (long)u)] });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            builder.Add(reader);
        return MailboxSnapshot.Of(epoch, 0, uint.MaxValue, builder.Keywords, builder.Finish());
    }

    /// <summary>What the row counts is what is there.</summary>
    private static bool Fits(MailboxSnapshot snapshot, MailboxStatus status)
    {
        long lastUid = 0;
        foreach (MessageChunk chunk in snapshot.Chunks)
        {
            for (int i = 0; i < chunk.Count; i++)
            {
                if (chunk.Fixed.Uid[i] <= lastUid || chunk.ModSeq[i] > status.HighestModSeq)
                    return false;
                lastUid = chunk.Fixed.Uid[i];
            }
        }
        return snapshot.Totals with { DeletedBytes = 0 } == new MessageTotals(status.Messages, status.Unseen, status.Deleted, status.Bytes, 0) && lastUid < status.UidNext;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, MailboxKey key)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = key.Account.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = key.Mailbox.Value });
        return command;
    }
}
