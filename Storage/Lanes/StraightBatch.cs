using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Lanes;

/// <summary>
/// A batch of appends alone, or of changes of flags alone, in which nothing is out of the ordinary: most batches are. Its functions do all of it or nothing, and then
/// <see cref="CommitBatch"/> has to. An append alone costs PostgreSQL half of what it costs there, a change of flags a third, one of many four fifths and two thirds.
/// </summary>
internal abstract class StraightBatch
{
    /// <summary>Seconds since 1970 UTC.</summary>
    protected long Now { get; } = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <summary>Commits a batch in the straight way where it can, else in the general one; the outcomes in the order of the operations.</summary>
    /// <exception cref="NpgsqlException">As of <see cref="CommitBatch.Execute"/>.</exception>
    public static CommitOutcome[] Commit(IReadOnlyList<CommitOperation> operations, HeldBodies? held, NpgsqlConnection connection) =>
        operations is [{ Kind: CommitKind.Annotate } annotate] ? [AnnotateCommit.Execute(annotate, connection)] :
        (Of(operations, held) is { } straight ? straight.Execute(connection, FilterCheck.Of(operations)) : null)
        ?? FilterCheck.Commit(operations, rest => new CommitBatch(rest, held).Execute(connection), connection);

    /// <summary>The batch, where it looks as if it could go this way; null otherwise.</summary>
    /// <param name="held">As in <see cref="CommitBatch"/>.</param>
    public static StraightBatch? Of(IReadOnlyList<CommitOperation> operations, HeldBodies? held)
    {
#if MUTATIONS
        // Their safeguards are switched off in the general way.
        if (Mutation.NoFence || Mutation.RetryTwice)
            return null;
#endif
        return StraightAppends.IsFor(operations) ? new StraightAppends(operations, held) : StraightStores.IsFor(operations) ? new StraightStores(operations) : null;
    }

    /// <summary>Runs the batch; null: nothing was done, and it must go the general way.</summary>
    /// <param name="check">What some of the operations depend on; null: nothing.</param>
    /// <exception cref="NpgsqlException">As of <see cref="CommitBatch.Execute"/>.</exception>
    public CommitOutcome[]? Execute(NpgsqlConnection connection, FilterCheck? check = null)
    {
        using NpgsqlCommand command = connection.CreateCommand();
        command.CommandTimeout = 0;
        command.CommandText = Bind(command.Parameters) + check?.Bind(command.Parameters);
        command.Prepare();
        using NpgsqlDataReader reader = command.ExecuteReader();
        CommitOutcome[]? outcomes = null;
        while (reader.Read())
        {
            outcomes ??= new CommitOutcome[Count];
            int op = reader.GetInt32(0) - 1;
            outcomes[op] = Read(op, reader);
        }
        // What follows the rows tells that the commit succeeded.
        reader.NextResult();
        return outcomes;
    }

    protected abstract int Count { get; }

    /// <summary>Adds the parameters.</summary>
    /// <returns>The statement. Its first column is the operation's number, from 1.</returns>
    protected abstract string Bind(NpgsqlParameterCollection parameters);

    /// <summary>What the functions for one operation begin with: its mailbox, its id and who made it.</summary>
    internal static void BindHead(NpgsqlParameterCollection parameters, CommitOperation o)
    {
        parameters.Add(NpgsqlDbType.Bigint, o.Mailbox.Account.Value);
        parameters.Add(NpgsqlDbType.Bigint, o.Mailbox.Mailbox.Value);
        parameters.Add(NpgsqlDbType.Bigint, o.FirstRecent);
        parameters.Add(NpgsqlDbType.Bigint, o.Epoch);
        parameters.Add(NpgsqlDbType.Bigint, o.Id.Incarnation);
        parameters.Add(NpgsqlDbType.Bigint, o.Id.Counter);
        parameters.Add(NpgsqlDbType.Text, CommitParameters.Clean(o.Actor.User));
        parameters.Add(NpgsqlDbType.Text, CommitParameters.Clean(o.Actor.Session));
        parameters.Add(NpgsqlDbType.Text, CommitParameters.Clean(o.Actor.Address));
    }

    protected abstract CommitOutcome Read(int op, NpgsqlDataReader reader);

    protected CommitOutcome Done(long modSeq, UidSet changed, UidSet modified, IReadOnlyList<long> threads) =>
        new(CommitStatus.Done, modSeq, changed, null, null, UidSet.Empty, modified, threads, []) { SaveDate = Now };

    /// <summary>True when no two have the same key.</summary>
    protected static bool AreDistinct<TKey>(IEnumerable<TKey> keys)
    {
        var seen = new HashSet<TKey>();
        return keys.All(seen.Add);
    }
}
