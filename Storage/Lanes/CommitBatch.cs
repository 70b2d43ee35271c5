using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Lanes;

/// <summary>A batch of operations as the one call of <c>mail.commit_v3</c> that commits it, or of <c>mail.commit_v4</c> where messages go, are copied or come with annotations: autocommit, no BEGIN, no time-out.</summary>
/// <param name="held">Bodies that are stored by the commit itself; others were staged.</param>
internal sealed class CommitBatch(IReadOnlyList<CommitOperation> operations, HeldBodies? held = null)
{
    private const string _columns =
        """
        select op, status, modseq, uids, src_modseq, src_epoch, src_uids, modified, threads,
            added_uid, added_email, added_thread, added_size, added_date, added_zone, added_flags, added_kw
        """;
    private const string _parameters =
        """
        $1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,
        $23,$24,$25,$26,$27,$28,$29,$30,$31,$32,$33,$34,$35,$36,$37,$38,$39,$40,$41,$42,$43,$44,$45,$46,$47,$48,$49,$50,$51,$52
        """;
    private const string _sql = $"{_columns} from mail.commit_v3({_parameters})";
    private const string _sqlWithAnnotations = $"{_columns} from mail.commit_v4({_parameters},$53,$54,$55,$56,$57,$58,$59,$60,$61)";

    private const string _overQuota = "MC003", _tooMany = "MC012";

    private readonly long _now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <summary>Runs the batch; the outcomes in the order of the operations.</summary>
    /// <exception cref="NpgsqlException">The batch failed as a whole; <see cref="PostgresException"/> where the server said so.</exception>
    public CommitOutcome[] Execute(NpgsqlConnection connection)
    {
#if MUTATIONS
        if (Mutation.NoFence)
            ForgeEpochs(connection);
#endif
        using NpgsqlCommand command = connection.CreateCommand();
        bool withAnnotations = operations.Any(TouchesAnnotations);
        command.CommandText = withAnnotations ? _sqlWithAnnotations : _sql;
        command.CommandTimeout = 0;
        Bind(command.Parameters);
        if (withAnnotations)
            BindAnnotations(command.Parameters);
        command.Prepare();
        try
        {
            return Execute(command);
        }
        catch (PostgresException e) when (operations.Count == 1 && IsOfAnnotations(e))
        {
            // Of several nobody knows which it was.
            return [new CommitOutcome(e.SqlState == _overQuota ? CommitStatus.OverQuota : CommitStatus.TooManyAnnotations, 0, UidSet.Empty, null, null, UidSet.Empty, UidSet.Empty, [], [])];
        }
    }

    private CommitOutcome[] Execute(NpgsqlCommand command)
    {
        var outcomes = new CommitOutcome[operations.Count];
        using NpgsqlDataReader reader = command.ExecuteReader();
        while (reader.Read())
        {
            int op = reader.GetInt32(0) - 1;
            outcomes[op] = Read(reader);
        }
        // The rows come before the commit; only what follows them tells that it succeeded (or that it failed, or a warning).
        reader.NextResult();
        return outcomes;
    }

    private void Bind(NpgsqlParameterCollection parameters)
    {
        // Mailboxes and accounts sorted: the order of the locks.
        MailboxKey[] mailboxes = [.. operations.Select(static o => o.Mailbox).Concat(operations.Where(static o => o.Source is not null).Select(static o => o.Source!.Value)).Distinct().Order()];
        Dictionary<MailboxKey, int> place = CommitParameters.Places(mailboxes);
        long[] accounts = [.. operations.SelectMany(static o => o.Charged).Select(static a => a.Value).Distinct().Order()];
        Dictionary<long, int> accountPlace = CommitParameters.Places(accounts);
        NewMessage[] messages = [.. operations.SelectMany(static o => o.Messages)];
        UidRange[] ranges = [.. operations.Where(static o => o.Kind != CommitKind.Append).SelectMany(static o => o.Uids)];

        parameters.Add(NpgsqlDbType.Bigint, mailboxes, static m => m.Account.Value);
        parameters.Add(NpgsqlDbType.Bigint, mailboxes, static m => m.Mailbox.Value);
        parameters.Add(NpgsqlDbType.Bigint, CommitParameters.FirstRecents(operations, place), static r => r);
        parameters.Add(NpgsqlDbType.Integer, mailboxes, m => accountPlace.GetValueOrDefault(m.Account.Value));
        parameters.Add(NpgsqlDbType.Bigint, accounts, static a => a);
        parameters.Add(NpgsqlDbType.Smallint, operations, static o => (short)o.Kind);
        parameters.Add(NpgsqlDbType.Integer, operations, o => place[o.Mailbox]);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Epoch);
#if MUTATIONS
        if (_forged is not null)
            parameters[parameters.Count - 1] = new NpgsqlParameter<long[]> { NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint, TypedValue = _forged };
#endif
        parameters.Add(NpgsqlDbType.Integer, operations, o => o.Source is { } s ? place[s] : 0);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Id.Incarnation);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Id.Counter);
#if MUTATIONS
        if (Mutation.RetryTwice)
        {
            parameters.RemoveAt(parameters.Count - 1);
            parameters.Add(NpgsqlDbType.Bigint, operations, static _ => Random.Shared.NextInt64());
        }
#endif
        // A retry may stand in the batch beside its first try.
        parameters.Add(NpgsqlDbType.Integer, FirstPlaces(operations, static o => (o.Mailbox.Account, o.Id)).Select(static (first, i) => first == i + 1 ? 0 : first).ToArray(), static t => t);
        parameters.Add(NpgsqlDbType.Text, operations, static o => CommitParameters.Clean(o.Actor.User));
        parameters.Add(NpgsqlDbType.Text, operations, static o => CommitParameters.Clean(o.Actor.Session));
        parameters.Add(NpgsqlDbType.Text, operations, static o => CommitParameters.Clean(o.Actor.Address));
        parameters.Add(NpgsqlDbType.Smallint, operations, static o => (short)o.Mode);
        parameters.Add(NpgsqlDbType.Smallint, operations, static o => o.Kind == CommitKind.SetRights ? (short)o.Rights : (short)o.Flags.System);
        parameters.Add(NpgsqlDbType.Text, operations, static o => o.Kind == CommitKind.SetRights ? o.Negative ? "-" : null : Keywords(o.Flags));
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Kind == CommitKind.SetRights ? o.Grantee.Value : o.UnchangedSince);
        parameters.Add(NpgsqlDbType.Uuid, operations, static o => o.Delivery);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Viewer?.Value ?? 0);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.SourceViewer?.Value ?? 0);
        parameters.Add(NpgsqlDbType.Smallint, operations, static o => (short)((int)o.Mask.System | (o.Mask.Keywords ? 32 : 0)));
        parameters.AddSlices(operations, static o => o.Path?.Segments.Count ?? 0);
        parameters.Add(NpgsqlDbType.Text, [.. operations.SelectMany(static o => o.Path?.Segments ?? [])], static s => CommitParameters.Clean(s));
        parameters.AddSlices(operations, static o => o.Messages.Count);
        parameters.AddSlices(operations, static o => o.Kind == CommitKind.Append ? 0 : o.Uids.Count);
        parameters.Add(NpgsqlDbType.Boolean, PlainStores(), static p => p);
        HeldBody?[] inline = [.. messages.Select(m => held?.TryGet(m.Body, out HeldBody? body) == true ? body : null)];
        parameters.Add(NpgsqlDbType.Boolean, inline, static b => b is not null);
        parameters.Add(NpgsqlDbType.Integer, inline, static b => b?.Crc32C ?? 0);
        parameters.Add(NpgsqlDbType.Bytea, inline, static b => b?.Data ?? default);
        parameters.Add(NpgsqlDbType.Bytea, inline, static b => b?.Content ?? []);
        parameters.Add(NpgsqlDbType.Bigint, messages, static m => m.Body.Value);
        parameters.Add(NpgsqlDbType.Integer, messages, static m => m.Claim);
        parameters.Add(NpgsqlDbType.Integer, FirstPlaces(messages, static m => (m.Body, m.Claim)), static f => f);
        parameters.Add(NpgsqlDbType.Bigint, [.. operations.SelectMany(static o => o.Emails)], static e => e);
        parameters.Add(NpgsqlDbType.Bytea, messages, static m => m.Prefix);
        parameters.Add(NpgsqlDbType.Bigint, messages, static m => (long)m.Size);
        parameters.Add(NpgsqlDbType.Bigint, messages, static m => m.InternalDate);
        parameters.Add(NpgsqlDbType.Smallint, messages, static m => m.ZoneMinutes);
        // A viewer's \Seen is no flag of the message.
        short[] flags = [.. operations.SelectMany(static o => o.Messages.Select(m => (short)(o.Viewer is not null && (m.Flags.System & SystemFlags.Seen) != 0
            ? ((int)m.Flags.System & ~1) | 32 : (int)m.Flags.System)))];
        parameters.Add(NpgsqlDbType.Smallint, flags, static f => f);
        parameters.Add(NpgsqlDbType.Text, messages, static m => Keywords(m.Flags));
        (int Message, long Key)[] threads = [.. messages.SelectMany(static (m, i) => m.ThreadKeys.Select(k => (i + 1, k)))];
        parameters.Add(NpgsqlDbType.Integer, threads, static t => t.Message);
        parameters.Add(NpgsqlDbType.Bigint, threads, static t => t.Key);
        parameters.Add(new NpgsqlParameter<bool> { TypedValue = ThreadsMeet() });
        parameters.Add(NpgsqlDbType.Bigint, ranges, static r => (long)r.First);
        parameters.Add(NpgsqlDbType.Bigint, ranges, static r => (long)r.Last);
        parameters.Add(new NpgsqlParameter<long> { TypedValue = _now });
        parameters.Add(new NpgsqlParameter<int> { TypedValue = KeywordTable.MaxKeywords });
    }

    /// <summary>What messages come with, and what copies of messages, and who makes them, may have.</summary>
    private void BindAnnotations(NpgsqlParameterCollection parameters)
    {
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => (o.Viewer ?? o.Mailbox.Account).Value);
        parameters.Add(NpgsqlDbType.Boolean, operations, static o => o.SharesAnnotations);
        (int Message, long Viewer, AnnotationValue Value)[] annotations =
            [.. operations.SelectMany(static o => o.Messages.Select(m => (Viewer: (o.Viewer ?? o.Mailbox.Account).Value, m.Annotations)))
                .SelectMany(static (m, i) => (m.Annotations ?? []).Select(a => (i + 1, a.Shared ? 0 : m.Viewer, a)))];
        parameters.Add(NpgsqlDbType.Integer, annotations, static a => a.Message);
        parameters.Add(NpgsqlDbType.Bigint, annotations, static a => a.Viewer);
        parameters.Add(NpgsqlDbType.Text, annotations, static a => a.Value.Entry);
        parameters.Add(NpgsqlDbType.Bytea, annotations, static a => a.Value.Value);
        AnnotationLimits limits = operations.Select(static o => o.AnnotationLimits).FirstOrDefault(static l => l is not null) ?? AnnotationLimits.Default;
        parameters.Add(NpgsqlDbType.Integer, limits.Entries);
        parameters.Add(NpgsqlDbType.Integer, limits.Octets);
        parameters.Add(NpgsqlDbType.Bigint, limits.AccountOctets);
    }

    /// <summary>Whether messages come with annotations, or may leave or take along some.</summary>
    private static bool TouchesAnnotations(CommitOperation o) => o.Kind is not (CommitKind.Append or CommitKind.Store or CommitKind.SetRights) || o.Messages.Any(static m => m.Annotations is not null);

    /// <summary>Whether a batch failed for what is a refusal of one operation in it, and of its annotations.</summary>
    public static bool IsOfAnnotations(Exception e) => e is PostgresException { SqlState: _overQuota or _tooMany };

    /// <summary>
    /// The changes of flags that can be done together by one statement: without keywords, and without another operation on the same mailbox that could make a difference to
    /// them. Appends make none: what they add was not there when the change was asked for.
    /// </summary>
    private bool[] PlainStores()
    {
        var plain = new bool[operations.Count];
        var seen = new Dictionary<MailboxKey, HashSet<uint>?>();
        // Null: something else goes on in the mailbox.
        foreach (CommitOperation o in operations)
        {
            if (o.Kind is not (CommitKind.Append or CommitKind.Store) || (o.Kind == CommitKind.Store && !IsPlain(o)))
            {
                seen[o.Mailbox] = null;
                if (o.Source is { } source)
                    seen[source] = null;
            }
        }
        for (int i = 0; i < plain.Length; i++)
        {
            CommitOperation o = operations[i];
            if (o.Kind != CommitKind.Store || (seen.TryGetValue(o.Mailbox, out HashSet<uint>? taken) && taken is null))
                continue;
            if (taken is null)
                seen.Add(o.Mailbox, taken = []);
            // Of one UID each; the first of a mailbox may be of more where it is the only one.
            plain[i] = o.Uids.Cardinality == 1 ? taken.Add(o.Uids[0].First) : taken.Count == 0 && operations.Count == 1;
        }
        return plain;
    }

    public static bool IsPlain(CommitOperation store) => store is { Flags.Keywords.Count: 0, Viewer: null } && store.Mask == FlagMask.All;

    /// <summary>Whether messages of one account share a thread key here, so that a later one finds the thread of an earlier one.</summary>
    private bool ThreadsMeet()
    {
        var seen = new HashSet<(AccountId, long)>();
        foreach (CommitOperation o in operations)
        {
            foreach (NewMessage message in o.Messages)
            {
                foreach (long key in message.ThreadKeys)
                {
                    if (!seen.Add((o.Mailbox.Account, key)))
                        return true;
                }
            }
        }
        return false;
    }

    /// <summary>For each item the place (from 1) of the first one with the same key.</summary>
    private static int[] FirstPlaces<TItem, TKey>(IReadOnlyList<TItem> items, Func<TItem, TKey> key) where TKey : notnull
    {
        var first = new Dictionary<TKey, int>(items.Count);
        int[] places = new int[items.Count];
        for (int i = 0; i < places.Length; i++)
            places[i] = first.TryAdd(key(items[i]), i + 1) ? i + 1 : first[key(items[i])];
        return places;
    }

    private static string? Keywords(FlagList flags) => flags.Keywords.Count == 0 ? null : CommitParameters.Clean(string.Join(' ', flags.Keywords));

#if MUTATIONS
    private long[]? _forged;

    /// <summary>Whoever owns the mailboxes now: commits under that epoch.</summary>
    private void ForgeEpochs(NpgsqlConnection connection)
    {
        _forged = [.. operations.Select(static o => o.Epoch)];
        for (int i = 0; i < _forged.Length; i++)
        {
            using NpgsqlCommand command = connection.CreateCommand();
            command.CommandText = "select epoch from mail.mailbox where account_id = $1 and id = $2";
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = operations[i].Mailbox.Account.Value });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = operations[i].Mailbox.Mailbox.Value });
            _forged[i] = command.ExecuteScalar() as long? ?? _forged[i];
        }
    }
#endif

    private CommitOutcome Read(NpgsqlDataReader reader)
    {
        long modSeq = reader.IsDBNull(2) ? 0 : reader.GetInt64(2);
        return new CommitOutcome(
            (CommitStatus)reader.GetInt16(1),
            modSeq,
            Multirange.Read(reader, 3),
            reader.IsDBNull(4) ? null : reader.GetInt64(4),
            reader.IsDBNull(5) ? null : reader.GetInt64(5),
            Multirange.Read(reader, 6),
            Multirange.Read(reader, 7),
            reader.IsDBNull(8) ? [] : reader.GetFieldValue<long[]>(8),
            reader.IsDBNull(9) ? [] : ReadAdded(reader, modSeq))
        {
            SaveDate = _now,
        };
    }

    private MessageRow[] ReadAdded(NpgsqlDataReader reader, long modSeq)
    {
        long[] uid = reader.GetFieldValue<long[]>(9);
        long[] email = reader.GetFieldValue<long[]>(10);
        long[] thread = reader.GetFieldValue<long[]>(11);
        long[] size = reader.GetFieldValue<long[]>(12);
        long[] date = reader.GetFieldValue<long[]>(13);
        short[] zone = reader.GetFieldValue<short[]>(14);
        short[] flags = reader.GetFieldValue<short[]>(15);
        string?[] keywords = reader.GetFieldValue<string?[]>(16);
        var rows = new MessageRow[uid.Length];
        for (int i = 0; i < rows.Length; i++)
        {
            var list = new FlagList((SystemFlags)flags[i], keywords[i] is { } k ? k.Split(' ') : []);
            rows[i] = new MessageRow((uint)uid[i], new EmailId(email[i]), (uint)size[i], date[i], zone[i], _now, list, modSeq, thread[i]);
        }
        return rows;
    }
}
