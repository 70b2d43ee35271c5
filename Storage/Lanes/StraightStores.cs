using MailCluster.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Lanes;

/// <summary>Changes of system flags of one message each as one call of <c>mail.commit_store_v2</c>, or of <c>mail.commit_stores_v2</c> where there are several.</summary>
internal sealed class StraightStores(IReadOnlyList<CommitOperation> operations) : StraightBatch
{
    private const string _one = "select op, modseq, changed, modified, mailbox_at from mail.commit_store_v2($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14)";
    private const string _many = "select op, modseq, changed, modified, place from mail.commit_stores_v2($1,$2,$3,$4::tid[])";

    // Of several: the rows that their function tells the places of.
    private MailboxKey[] _mailboxes = [];

    protected override int Count => operations.Count;

    /// <summary>Whether these are nothing but such changes, each of another message.</summary>
    public static bool IsFor(IReadOnlyList<CommitOperation> operations) =>
        operations.All(static o => o is { Kind: CommitKind.Store, Uids.Cardinality: 1 } && CommitBatch.IsPlain(o))
        && (operations.Count == 1
            || (ClaimsAgree(operations) && AreDistinct(operations.Select(static o => (o.Mailbox.Account, o.Id))) && AreDistinct(operations.Select(static o => (o.Mailbox, o.Uids[0].First)))));

    protected override string Bind(NpgsqlParameterCollection parameters, RowPlaces? places)
    {
        if (operations.Count > 1)
        {
            BindMany(parameters, places);
            return _many;
        }
        CommitOperation o = operations[0];
        BindHead(parameters, o);
        parameters.Add(NpgsqlDbType.Smallint, (short)o.Mode);
        parameters.Add(NpgsqlDbType.Smallint, (short)o.Flags.System);
        parameters.Add(NpgsqlDbType.Bigint, o.UnchangedSince);
        parameters.Add(NpgsqlDbType.Bigint, (long)o.Uids[0].First);
        parameters.Add(NpgsqlDbType.Tid, places?.Of(o.Mailbox));
        return _one;
    }

    protected override CommitOutcome Read(int op, NpgsqlDataReader reader)
    {
        UidSet uid = operations[op].Uids;
        return Done(reader.GetInt64(1), reader.GetBoolean(2) ? uid : UidSet.Empty, reader.GetBoolean(3) ? uid : UidSet.Empty, []);
    }

    protected override void Learn(int op, NpgsqlDataReader reader, RowPlaces places)
    {
        // A change that changed nothing left its mailbox where it was.
        if ((op < 0 || operations.Count == 1) && !reader.IsDBNull(4))
            places.Set(op < 0 ? _mailboxes[-op - 1] : operations[0].Mailbox, reader.GetFieldValue<NpgsqlTid>(4));
    }

    private void BindMany(NpgsqlParameterCollection parameters, RowPlaces? places)
    {
        // Sorted: the order of the locks.
        MailboxKey[] mailboxes = _mailboxes = [.. operations.Select(static o => o.Mailbox).Distinct().Order()];
        Dictionary<MailboxKey, int> numbers = CommitParameters.Places(mailboxes);
        long?[] recents = CommitParameters.FirstRecents(operations, numbers);
        var mailboxValues = new long[4 * mailboxes.Length];
        List<long?> values = [];
        List<string?> texts = [];
        foreach (CommitOperation o in operations)
        {
            int place = numbers[o.Mailbox];
            // Those of one mailbox name one claim.
            new[] { o.Mailbox.Account.Value, o.Mailbox.Mailbox.Value, o.Epoch, recents[place - 1] ?? 0 }.CopyTo(mailboxValues, 4 * (place - 1));
            values.AddRange([place, o.Id.Incarnation, o.Id.Counter, (long)o.Mode, (long)o.Flags.System, o.UnchangedSince, o.Uids[0].First]);
            AddActor(texts, o);
        }
        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Bigint, mailboxValues);
        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Bigint, values);
        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Text, texts);
        AddPlaces(parameters, mailboxes.Select(m => places?.Of(m)));
    }
}
