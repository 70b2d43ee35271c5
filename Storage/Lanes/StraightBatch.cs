using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Lanes;

/// <summary>
/// A batch of appends alone, or of changes of flags alone, in which nothing is out of the ordinary: most batches are. Its functions do all of it or nothing, and then
/// <see cref="CommitBatch"/> has to. An append alone costs PostgreSQL less than half of what it costs there, a change of flags a third, one of many three fifths.
/// </summary>
internal abstract class StraightBatch
{
    // Whether the last statement for several went to the places of rows.
    private bool _went;

    /// <summary>Seconds since 1970 UTC.</summary>
    protected long Now { get; } = DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <summary>Commits a batch in the straight way where it can, else in the general one; the outcomes in the order of the operations.</summary>
    /// <param name="places">What is known of where the rows are, and learnt; null: they are looked up.</param>
    /// <exception cref="NpgsqlException">As of <see cref="CommitBatch.Execute"/>.</exception>
    public static CommitOutcome[] Commit(IReadOnlyList<CommitOperation> operations, HeldBodies? held, NpgsqlConnection connection, RowPlaces? places = null)
    {
        if (operations is [{ Kind: CommitKind.Annotate } annotate])
        {
            places?.Forget(operations);
            return [AnnotateCommit.Execute(annotate, connection)];
        }
        var shared = SharedBodies.Of(operations, held);
        shared?.StageTaken(connection);
        try
        {
            if (Of(operations, held) is { } straight)
            {
                var check = FilterCheck.Of(operations);
                if (straight.Execute(connection, check, places) is { } outcomes)
                    return outcomes;
                places?.Forget(operations);
                // Of several, one whose row has moved is one that is not there.
                if (straight._went && straight.Execute(connection, check, places) is { } found)
                    return found;
            }
        }
        catch (PostgresException e) when (shared is not null && e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            // It was staged meanwhile, for owners elsewhere or for filters.
        }
        places?.Forget(operations);
        shared?.Stage(connection);
        return FilterCheck.Commit(operations, rest => new CommitBatch(rest, held).Execute(connection), connection);
    }

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
    /// <param name="places">As of <see cref="Commit"/>.</param>
    public CommitOutcome[]? Execute(NpgsqlConnection connection, FilterCheck? check = null, RowPlaces? places = null)
    {
        using NpgsqlCommand command = connection.CreateCommand();
        command.CommandTimeout = 0;
        command.CommandText = Bind(command.Parameters, places) + check?.Bind(command.Parameters);
        command.Prepare();
        using NpgsqlDataReader reader = command.ExecuteReader();
        CommitOutcome[]? outcomes = null;
        while (reader.Read())
        {
            outcomes ??= new CommitOutcome[Count];
            int op = reader.GetInt32(0);
            if (op > 0)
                outcomes[op - 1] = Read(op - 1, reader);
            if (places is not null)
                Learn(op, reader, places);
        }
        // What follows the rows tells that the commit succeeded.
        reader.NextResult();
        return outcomes;
    }

    protected abstract int Count { get; }

    /// <summary>Adds the parameters.</summary>
    /// <returns>The statement. Its first column is the operation's number, from 1; what is below tells where a row is now.</returns>
    protected abstract string Bind(NpgsqlParameterCollection parameters, RowPlaces? places);

    /// <summary>Takes from a row of the answer where rows of mailboxes and accounts are now.</summary>
    protected abstract void Learn(int op, NpgsqlDataReader reader, RowPlaces places);

    /// <summary>Adds the places of all of these rows, or none.</summary>
    protected void AddPlaces(NpgsqlParameterCollection parameters, IEnumerable<NpgsqlTid?> places)
    {
        NpgsqlTid?[] all = [.. places];
        bool known = Array.TrueForAll(all, static p => p is not null);
        _went |= known;
        // As text: Npgsql has no arrays of tid.
        parameters.Add(NpgsqlDbType.Array | NpgsqlDbType.Text, known ? Array.ConvertAll(all, static p => p!.Value.ToString()) : []);
    }

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

    /// <summary>Adds who made an operation, as the functions for several take it.</summary>
    protected static void AddActor(List<string?> texts, CommitOperation o) =>
        texts.AddRange([CommitParameters.Clean(o.Actor.User), CommitParameters.Clean(o.Actor.Session), CommitParameters.Clean(o.Actor.Address)]);

    protected abstract CommitOutcome Read(int op, NpgsqlDataReader reader);

    protected CommitOutcome Done(long modSeq, UidSet changed, UidSet modified, IReadOnlyList<long> threads) =>
        new(CommitStatus.Done, modSeq, changed, null, null, UidSet.Empty, modified, threads, []) { SaveDate = Now };

    /// <summary>True when those of one mailbox name one claim.</summary>
    protected static bool ClaimsAgree(IReadOnlyList<CommitOperation> operations)
    {
        var epochs = new Dictionary<MailboxKey, long>();
        foreach (CommitOperation o in operations)
        {
            if (!epochs.TryAdd(o.Mailbox, o.Epoch) && epochs[o.Mailbox] != o.Epoch)
                return false;
        }
        return true;
    }

    /// <summary>True when no two have the same key.</summary>
    protected static bool AreDistinct<TKey>(IEnumerable<TKey> keys)
    {
        var seen = new HashSet<TKey>();
        return keys.All(seen.Add);
    }
}
