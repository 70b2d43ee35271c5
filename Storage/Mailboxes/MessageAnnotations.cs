using System.Runtime.CompilerServices;
using MailCluster.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Mailboxes;

/// <summary>Annotations of messages in PostgreSQL: see <see cref="IMessageAnnotations"/>.</summary>
public sealed class MessageAnnotations(NpgsqlDataSource database) : IMessageAnnotations
{
    public Task<IReadOnlyList<MessageAnnotation>> ListAsync(MailboxKey mailbox, AccountId viewer, UidSet uids, CancellationToken cancellationToken) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = Of(mailbox, viewer, uids,
            """
            select a.uid, a.entry, a.viewer_id = 0, octet_length(a.value), case when octet_length(a.value) <= $6 then a.value end
            from unnest($4, $5) as g(lo, hi) cross join lateral (
                select a.* from mail.message_annotation a
                where a.account_id = $1 and a.mailbox_id = $2 and a.uid between g.lo and g.hi and a.viewer_id in (0, $3) and a.value is not null offset 0) a
            order by a.uid, a.entry, a.viewer_id
            """);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = IMessageAnnotations.Inline });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<MessageAnnotation>();
        while (await reader.ReadAsync(cancellationToken))
            found.Add(Read(reader));
        return (IReadOnlyList<MessageAnnotation>)found;
    });

    public Task<byte[]?> ReadAsync(MailboxKey mailbox, AccountId viewer, uint uid, string entry, bool shared, CancellationToken cancellationToken) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = Of(mailbox, shared ? default : viewer, null,
            "select a.value from mail.message_annotation a where a.account_id = $1 and a.mailbox_id = $2 and a.viewer_id = $3 and a.uid = $4 and a.entry = $5");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = uid });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = entry });
        return await command.ExecuteScalarAsync(cancellationToken) as byte[];
    });

    public Task<IReadOnlyList<ChangedAnnotation>> ChangedAsync(MailboxKey mailbox, AccountId viewer, UidSet uids, long since, CancellationToken cancellationToken) => Store.Guard(async () =>
    {
        await using NpgsqlCommand command = Of(mailbox, viewer, uids,
            """
            select a.uid, a.entry, a.viewer_id = 0, a.modseq
            from unnest($4, $5) as g(lo, hi) cross join lateral (
                select a.* from mail.message_annotation a
                where a.account_id = $1 and a.mailbox_id = $2 and a.uid between g.lo and g.hi and a.viewer_id in (0, $3) and a.modseq > $6 offset 0) a
            order by a.uid, a.entry, a.viewer_id
            """);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = since });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<ChangedAnnotation>();
        while (await reader.ReadAsync(cancellationToken))
            found.Add(new ChangedAnnotation((uint)reader.GetInt64(0), reader.GetString(1), reader.GetBoolean(2), reader.GetInt64(3)));
        return (IReadOnlyList<ChangedAnnotation>)found;
    });

    public async IAsyncEnumerable<MessageAnnotation> ScanAsync(
        MailboxKey mailbox, AccountId viewer, string? entry, bool? shared, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await using NpgsqlCommand command = Of(mailbox, viewer, null,
            """
            select a.uid, a.entry, a.viewer_id = 0, octet_length(a.value), a.value from mail.message_annotation a
            where a.account_id = $1 and a.mailbox_id = $2 and a.viewer_id = any($4) and a.value is not null and ($5::text is null or a.entry = $5) and $3 is not null
            """);
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = shared switch { true => [0], false => [viewer.Value], null => [0, viewer.Value] } });
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)entry ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text });
        await using NpgsqlDataReader reader = await Store.Guard(() => command.ExecuteReaderAsync(cancellationToken));
        while (await Store.Guard(() => reader.ReadAsync(cancellationToken)))
            yield return Read(reader);
    }

    private static MessageAnnotation Read(NpgsqlDataReader row) =>
        new((uint)row.GetInt64(0), row.GetString(1), row.GetBoolean(2), row.GetInt32(3), row.IsDBNull(4) ? null : row.GetFieldValue<byte[]>(4));

    /// <summary>The mailbox as $1 and $2, the viewer as $3, and the ranges of UIDs, where there are some, as $4 and $5.</summary>
    private NpgsqlCommand Of(MailboxKey mailbox, AccountId viewer, UidSet? uids, string sql)
    {
        NpgsqlCommand command = database.CreateCommand(sql);
        foreach (long id in (long[])[mailbox.Account.Value, mailbox.Mailbox.Value, viewer.Value])
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = id });
        if (uids is not null)
        {
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. uids.Select(static r => (long)r.First)] });
            command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. uids.Select(static r => (long)r.Last)] });
        }
        return command;
    }
}
