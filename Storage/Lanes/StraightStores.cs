using MailCluster.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Lanes;

/// <summary>Changes of system flags of one message each as one call of <c>mail.commit_store_v1</c>, or of <c>mail.commit_stores_v1</c> where there are several.</summary>
internal sealed class StraightStores(IReadOnlyList<CommitOperation> operations) : StraightBatch
{
    private const string _one = "select op, modseq, changed, modified from mail.commit_store_v1($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)";
    private const string _many = "select op, modseq, changed, modified from mail.commit_stores_v1($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15)";

    protected override int Count => operations.Count;

    /// <summary>Whether these are nothing but such changes, each of another message.</summary>
    public static bool IsFor(IReadOnlyList<CommitOperation> operations) =>
        operations.All(static o => o is { Kind: CommitKind.Store, Uids.Cardinality: 1 } && CommitBatch.IsPlain(o))
        && (operations.Count == 1
            || (AreDistinct(operations.Select(static o => (o.Mailbox.Account, o.Id))) && AreDistinct(operations.Select(static o => (o.Mailbox, o.Uids[0].First)))));

    protected override string Bind(NpgsqlParameterCollection parameters)
    {
        if (operations.Count > 1)
        {
            BindMany(parameters);
            return _many;
        }
        CommitOperation o = operations[0];
        BindHead(parameters, o);
        parameters.Add(NpgsqlDbType.Smallint, (short)o.Mode);
        parameters.Add(NpgsqlDbType.Smallint, (short)o.Flags.System);
        parameters.Add(NpgsqlDbType.Bigint, o.UnchangedSince);
        parameters.Add(NpgsqlDbType.Bigint, (long)o.Uids[0].First);
        return _one;
    }

    protected override CommitOutcome Read(int op, NpgsqlDataReader reader)
    {
        UidSet uid = operations[op].Uids;
        return Done(reader.GetInt64(1), reader.GetBoolean(2) ? uid : UidSet.Empty, reader.GetBoolean(3) ? uid : UidSet.Empty, []);
    }

    private void BindMany(NpgsqlParameterCollection parameters)
    {
        // Sorted: the order of the locks.
        MailboxKey[] mailboxes = [.. operations.Select(static o => o.Mailbox).Distinct().Order()];
        parameters.Add(NpgsqlDbType.Bigint, mailboxes, static m => m.Account.Value);
        parameters.Add(NpgsqlDbType.Bigint, mailboxes, static m => m.Mailbox.Value);
        parameters.Add(NpgsqlDbType.Bigint, CommitParameters.FirstRecents(operations, CommitParameters.Places(mailboxes)), static r => r);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Mailbox.Account.Value);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Mailbox.Mailbox.Value);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Epoch);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Id.Incarnation);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.Id.Counter);
        parameters.Add(NpgsqlDbType.Text, operations, static o => CommitParameters.Clean(o.Actor.User));
        parameters.Add(NpgsqlDbType.Text, operations, static o => CommitParameters.Clean(o.Actor.Session));
        parameters.Add(NpgsqlDbType.Text, operations, static o => CommitParameters.Clean(o.Actor.Address));
        parameters.Add(NpgsqlDbType.Smallint, operations, static o => (short)o.Mode);
        parameters.Add(NpgsqlDbType.Smallint, operations, static o => (short)o.Flags.System);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => o.UnchangedSince);
        parameters.Add(NpgsqlDbType.Bigint, operations, static o => (long)o.Uids[0].First);
    }
}
