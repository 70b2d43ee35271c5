using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Storage.Directories;
using MimeKit.Utils;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Mailboxes;

/// <summary>A mailbox of which expunged messages are kept.</summary>
/// <param name="Path">Null: it was deleted, and its name is not known any more.</param>
/// <param name="Exists">It was not deleted.</param>
/// <param name="Bytes">RFC822.SIZE of all of them.</param>
public sealed record ExpungedMailbox(MailboxId Id, MailboxPath? Path, bool Exists, long Messages, long Bytes, DateTimeOffset First, DateTimeOffset Last);

/// <summary>An expunged message that is kept.</summary>
/// <param name="Uid">The one it had in <paramref name="Mailbox"/>.</param>
/// <param name="At">When it was expunged, or its mailbox deleted.</param>
/// <param name="From">First address, as text without control characters; empty for none. So <paramref name="Subject"/>.</param>
public sealed record ExpungedMessage(MailboxId Mailbox, uint Uid, DateTimeOffset At, DateTimeOffset InternalDate, long Size, string From, string Subject);

/// <summary>Which expunged messages are meant.</summary>
/// <param name="Since">Expunged then or later; null: whenever.</param>
/// <param name="Until">Expunged before; null: until now.</param>
/// <param name="Uids">UIDs that they had; null: any.</param>
public sealed record ExpungedFilter(IReadOnlyList<MailboxId> Mailboxes, DateTimeOffset? Since, DateTimeOffset? Until, UidSet? Uids);

/// <summary>What a restore came to.</summary>
/// <param name="Uids">The new ones.</param>
/// <param name="Rest">Not null: why others that were meant are still where they were.</param>
public sealed record Restored(long Messages, long Bytes, UidSet Uids, MailError? Rest);

/// <summary>
/// Messages that were expunged, one by one or with their mailbox, and can be restored for a time (<c>Maintenance:ExpungedDays</c>).
/// Every method throws <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.
/// </summary>
public sealed class ExpungedMessages(NpgsqlDataSource database)
{
    // A statement holds the mailbox's lock for some tens of milliseconds.
    private const int Slice = 1000;

    private const int TextLength = 200;

    /// <summary>Puts messages of mailboxes that were just deleted among the expunged ones, as maintenance does within some minutes.</summary>
    public Task GatherAsync(AccountId account) => Store.Guard(async () =>
    {
        while (await database.ScalarAsync("select mail.purge_deleted_v2($1, $2)", Slice, account.Value) is > 0)
        {
            // The next slice.
        }
        return true;
    });

    /// <summary>An account's mailboxes with expunged messages, those that exist first.</summary>
    public Task<List<ExpungedMailbox>> MailboxesAsync(AccountId account) => Store.Guard(() => database.ListAsync(
        """
        select x.mailbox_id, coalesce(m.path, g.path), m.id is not null, x.messages, x.bytes, x.first, x.last
        from (
            select x.mailbox_id, count(*) as messages, sum(e.size)::bigint as bytes, min(x.at) as first, max(x.at) as last
            from mail.expunged x join mail.email e on e.account_id = x.account_id and e.id = x.email_id where x.account_id = $1 group by 1) x
        left join mail.mailbox m on m.account_id = $1 and m.id = x.mailbox_id and m.deleted_at is null
        left join mail.mailbox_gone g on g.account_id = $1 and g.mailbox_id = x.mailbox_id
        order by 3 desc, 2, 7
        """,
        static r => new ExpungedMailbox(new MailboxId(r.GetInt64(0)), r.IsDBNull(1) ? null : MailboxPath.Of(r.GetFieldValue<string[]>(1)), r.GetBoolean(2), r.GetInt64(3), r.GetInt64(4),
            r.GetFieldValue<DateTimeOffset>(5), r.GetFieldValue<DateTimeOffset>(6)),
        account.Value));

    /// <summary>A page of expunged messages, in the order of mailbox and UID.</summary>
    /// <param name="after">The last one of the page before; null: from the beginning.</param>
    public Task<List<ExpungedMessage>> ListAsync(AccountId account, ExpungedFilter filter, (MailboxId Mailbox, uint Uid)? after, int limit) => Store.Guard(() => database.ListAsync(
        """
        select x.mailbox_id, x.uid, x.at, e.internal_date, e.size, c.data
        from mail.expunged x join mail.email e on e.account_id = x.account_id and e.id = x.email_id left join mail.content c on c.body_id = e.body_id
        where x.account_id = $1 and x.mailbox_id = any($2) and x.at >= coalesce($3, '-infinity') and x.at < coalesce($4, 'infinity') and ($5 is null or x.uid <@ $5)
            and (x.mailbox_id, x.uid) > ($6, $7)
        order by x.mailbox_id, x.uid limit $8
        """,
        static r =>
        {
            EnvelopeData envelope = r.IsDBNull(5) ? EnvelopeData.None : MessageContent.Decode(r.GetFieldValue<byte[]>(5)).Envelope;
            return new ExpungedMessage(new MailboxId(r.GetInt64(0)), (uint)r.GetInt64(1), r.GetFieldValue<DateTimeOffset>(2), r.GetFieldValue<DateTimeOffset>(3), r.GetInt64(4),
                envelope.From is [var from, ..] ? Text(from.Mailbox) + "@" + Text(from.Host) : "", Text(envelope.Subject));
        },
        [.. Parameters(account, filter), after?.Mailbox.Value ?? 0L, after?.Uid ?? 0L, limit]));

    /// <summary>
    /// Moves expunged messages into a mailbox of their account, under new UIDs that rise with the old ones, with the flags and keywords that they had but for \Deleted. Whoever has the mailbox selected
    /// sees them arrive. 1,000 at a time, each time all or none: when it ends before its time, those that are back are back, and the rest can still be restored; whatever is back is not restored again.
    /// Failures: <see cref="MailErrorCode.NonExistent"/> (mailbox), <see cref="MailErrorCode.OverQuota"/> (not even the first slice fits).
    /// </summary>
    public async Task<MailResult<Restored>> RestoreAsync(MailboxKey into, ExpungedFilter filter)
    {
        var restored = new Restored(0, 0, UidSet.Empty, null);
        while (true)
        {
            (short status, long messages, long bytes, UidSet uids) = await Store.Guard(async () => (await database.ListAsync(
                "select status, messages, bytes, uids from mail.restore_expunged_v1($1, $2, $6, $3, $4, $5, $7, $8)",
                static r => (r.GetInt16(0), r.GetInt64(1), r.GetInt64(2), Multirange.Read(r, 3)),
                [.. Parameters(into.Account, filter), into.Mailbox.Value, Slice, KeywordTable.MaxKeywords]))[0]);
            MailError? error = status switch
            {
                0 => null,
                1 => new MailError(MailErrorCode.NonExistent, "The mailbox is not there any more."),
                _ => new MailError(MailErrorCode.OverQuota, $"The next {Slice} messages, or what is left, do not fit into the quota of the account or its tenant."),
            };
            if (error is not null)
                return restored.Messages == 0 ? error : restored with { Rest = error };
            if (messages == 0)
                return restored;
            restored = new Restored(restored.Messages + messages, restored.Bytes + bytes, restored.Uids.Union(uids), null);
        }
    }

    /// <summary>Makes a mailbox again under the name that it had, with those above it that are missing; the one that is there where somebody else was faster.</summary>
    /// <param name="ids">A new id for each segment of the path.</param>
    public Task<MailboxKey> RecreateAsync(AccountId account, MailboxPath path, long[] ids) => Store.Guard(async () =>
    {
        string[] segments = [.. path.Segments];
        await database.ScalarAsync("select code from mail.create_mailbox_v2($1, $2, 1, $3, '{}', $4, $5)", account.Value, Random.Shared.NextInt64(), segments, ids, int.MaxValue);
        return new MailboxKey(account, new MailboxId((long)(await database.ScalarAsync("select id from mail.mailbox where account_id = $1 and path = $2 and deleted_at is null", account.Value, segments))!));
    });

    private static object?[] Parameters(AccountId account, ExpungedFilter filter) =>
    [
        account.Value,
        filter.Mailboxes.Select(static m => m.Value).ToArray(),
        new NpgsqlParameter { Value = (object?)filter.Since?.ToUniversalTime() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz },
        new NpgsqlParameter { Value = (object?)filter.Until?.ToUniversalTime() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz },
        new NpgsqlParameter { Value = (object?)filter.Uids?.Select(static r => new NpgsqlRange<long>(r.First, r.Last)).ToArray() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.BigIntMultirange },
    ];

    // Strangers wrote it: nothing in it may command a terminal.
    private static string Text(RawText raw)
    {
        string text = Rfc2047.DecodeText(raw.Bytes.ToArray());
        return string.Concat(text.Take(TextLength).Select(static c => char.IsControl(c) ? '?' : c));
    }
}
