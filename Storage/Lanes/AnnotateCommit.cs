using MailCluster.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Lanes;

/// <summary>Changes annotations of messages (RFC 5257) by <c>mail.commit_annotate_v1</c>: one operation a call, since few clients ever do.</summary>
internal static class AnnotateCommit
{
    private const string _sql =
        "select status, modseq, uids, modified from mail.commit_annotate_v1($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)";

    /// <summary>A batch as those that are committed one after the other: all that have a function in common, and each of these alone.</summary>
    public static IEnumerable<IReadOnlyList<CommitOperation>> Apart(List<CommitOperation> batch)
    {
        if (!batch.Exists(static o => o.Kind == CommitKind.Annotate))
            return [batch];
        CommitOperation[] others = [.. batch.Where(static o => o.Kind != CommitKind.Annotate)];
        return [.. others.Length == 0 ? (CommitOperation[][])[] : [others], .. batch.Where(static o => o.Kind == CommitKind.Annotate).Select(static o => (CommitOperation[])[o])];
    }

    /// <exception cref="NpgsqlException">As of <see cref="CommitBatch.Execute"/>.</exception>
    public static CommitOutcome Execute(CommitOperation o, NpgsqlConnection connection)
    {
        using NpgsqlCommand command = connection.CreateCommand();
        command.CommandTimeout = 0;
        command.CommandText = _sql;
        AnnotationLimits limits = o.AnnotationLimits ?? AnnotationLimits.Default;
        NpgsqlParameterCollection parameters = command.Parameters;
        StraightBatch.BindHead(parameters, o);
        long viewer = (o.Viewer ?? o.Mailbox.Account).Value;
        parameters.Add(NpgsqlDbType.Bigint, o.Uids, static r => (long)r.First);
        parameters.Add(NpgsqlDbType.Bigint, o.Uids, static r => (long)r.Last);
        parameters.Add(NpgsqlDbType.Bigint, o.UnchangedSince);
        parameters.Add(NpgsqlDbType.Bigint, o.Annotations, a => a.Shared ? 0 : viewer);
        parameters.Add(NpgsqlDbType.Text, o.Annotations, static a => a.Entry);
        parameters.Add(NpgsqlDbType.Bytea, o.Annotations, static a => a.Value);
        parameters.Add(NpgsqlDbType.Integer, limits.Entries);
        parameters.Add(NpgsqlDbType.Bigint, limits.AccountOctets);
        command.Prepare();
        using NpgsqlDataReader reader = command.ExecuteReader();
        reader.Read();
        var outcome = new CommitOutcome(
            (CommitStatus)reader.GetInt16(0), reader.IsDBNull(1) ? 0 : reader.GetInt64(1), Multirange.Read(reader, 2), null, null, UidSet.Empty, Multirange.Read(reader, 3), [], []);
        // What follows the row tells that the commit succeeded.
        reader.NextResult();
        return outcome;
    }
}
