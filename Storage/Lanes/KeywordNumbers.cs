using MailCluster.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Lanes;

/// <summary>
/// Gives a mailbox all keywords that one operation names before it is committed, where these are many: the commit looks for a free number for each of them, which holds up the whole
/// batch, and for hundreds takes seconds. Such an operation runs apart.
/// </summary>
internal static class KeywordNumbers
{
    /// <summary>The most keywords of an operation that the commit itself may give numbers to.</summary>
    public const int Few = 16;

    private static readonly CommitOutcome _tooMany = new(CommitStatus.TooManyKeywords, 0, UidSet.Empty, null, null, UidSet.Empty, UidSet.Empty, [], []);

    /// <summary>The keywords that an operation gives to messages, each once; none where these are few.</summary>
    public static IReadOnlyList<string> Of(CommitOperation operation)
    {
        IReadOnlyList<string> own = operation.Kind == CommitKind.Store && operation.Mode == StoreMode.Remove ? [] : operation.Flags.Keywords;
        if (own.Count + operation.Messages.Sum(static m => m.Flags.Keywords.Count) <= Few)
            return [];
        string[] all = [.. own.Concat(operation.Messages.SelectMany(static m => m.Flags.Keywords)).Distinct(StringComparer.OrdinalIgnoreCase)];
        return all.Length <= Few ? [] : all;
    }

    /// <summary>Null: the operation can be committed; otherwise what has become of it.</summary>
    /// <exception cref="CommitNotDoneException">PostgreSQL can't be reached.</exception>
    public static CommitOutcome? Give(CommitOperation o, NpgsqlConnection connection)
    {
        if (o.Keywords.Count > KeywordTable.MaxKeywords)
            return _tooMany;
        try
        {
            using NpgsqlCommand command = connection.CreateCommand();
            command.CommandTimeout = 0;
            command.CommandText = "select mail.add_keywords_v1($1, $2, $3, $4, string_to_array($5, ' '), $6)";
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = o.Mailbox.Account.Value });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = o.Mailbox.Mailbox.Value });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = o.Id.Incarnation });
            command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = o.Id.Counter });
            command.Parameters.Add(new NpgsqlParameter { Value = CommitParameters.Clean(string.Join(' ', o.Keywords)), NpgsqlDbType = NpgsqlDbType.Text });
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = KeywordTable.MaxKeywords });
            return command.ExecuteScalar() is true ? null : _tooMany;
        }
        catch (NpgsqlException e)
        {
            throw new CommitNotDoneException("PostgreSQL cannot be reached.", e);
        }
    }
}
