using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Lanes;

/// <summary>
/// The bodies for several messages (a delivery to several recipients) that this process holds and a batch names. The straight way takes each along once, and claims for those of its messages that are
/// not in the batch. Whatever else becomes of a batch, and whoever comes later without knowing what became of the first, finds it staged before: here, by a statement that passes over what is stored.
/// </summary>
internal sealed class SharedBodies
{
    private readonly HeldBodies _held;
    private readonly List<HeldBody> _bodies;

    private SharedBodies(HeldBodies held, List<HeldBody> bodies) => (_held, _bodies) = (held, bodies);

    /// <summary>Null where there are none.</summary>
    public static SharedBodies? Of(IReadOnlyList<CommitOperation> operations, HeldBodies? held)
    {
        if (held is null)
            return null;
        List<HeldBody>? bodies = null;
        foreach (CommitOperation o in operations)
        {
            foreach (NewMessage message in o.Messages)
            {
                if (held.TryGet(message.Body, out HeldBody? body) && !body.IsOfOne && bodies?.Contains(body) != true)
                    (bodies ??= []).Add(body);
            }
        }
        return bodies is null ? null : new SharedBodies(held, bodies);
    }

    /// <summary>Stages those that the batch may not take along, since somebody may have stored them.</summary>
    /// <exception cref="NpgsqlException">As of <see cref="CommitBatch.Execute"/>.</exception>
    public void StageTaken(NpgsqlConnection connection)
    {
        HeldBody[] taken = [.. _bodies.Where(static b => !b.Take())];
        Stage(taken, connection);
        _bodies.RemoveAll(taken.Contains);
    }

    /// <summary>Stages all of them.</summary>
    /// <exception cref="NpgsqlException">As of <see cref="CommitBatch.Execute"/>.</exception>
    public void Stage(NpgsqlConnection connection) => Stage(_bodies, connection);

    private void Stage(IEnumerable<HeldBody> some, NpgsqlConnection connection)
    {
        // In the order in which all who stage several do: whoever waits for another is not waited for.
        HeldBody[] bodies = [.. some.OrderBy(static b => b.Id.Value)];
        if (bodies.Length == 0)
            return;
        using NpgsqlCommand command = connection.CreateCommand();
        command.CommandTimeout = 0;
        command.CommandText = "select mail.stage_bodies_v2($1, $2, $3, $4, $5, $6, $7)";
        command.Parameters.Add(NpgsqlDbType.Bigint, bodies, static b => b.Id.Value);
        command.Parameters.Add(NpgsqlDbType.Bigint, bodies, static b => b.Tenant.Value);
        command.Parameters.Add(NpgsqlDbType.Bigint, bodies, static b => (long)b.Data.Length);
        command.Parameters.Add(NpgsqlDbType.Integer, bodies, static b => b.Crc32C);
        command.Parameters.Add(NpgsqlDbType.Integer, bodies, static b => b.Claims);
        command.Parameters.Add(NpgsqlDbType.Bytea, bodies, static b => b.Data);
        command.Parameters.Add(NpgsqlDbType.Bytea, bodies, static b => b.Content);
        command.Prepare();
        command.ExecuteNonQuery();
        foreach (HeldBody body in bodies)
            _held.TryRemove(body.Id, out _);
    }
}
