using MailCluster.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace MailCluster.Storage.Lanes;

/// <summary>
/// Whether what is meant for accounts without filters (<see cref="CommitOperation.Unfiltered"/>) may be done. The statement that commits asks along, so that nobody has to ask before, and
/// nothing that is remembered of filters can be wrong: what was activated before a delivery came is seen by its commit, wherever either was done.
/// </summary>
internal sealed class FilterCheck
{
    private readonly CommitOperation[] _operations;

    private FilterCheck(CommitOperation[] operations) => _operations = operations;

    /// <summary>Null where no operation depends on filters.</summary>
    public static FilterCheck? Of(IReadOnlyList<CommitOperation> operations) =>
        operations.Any(static o => o.Unfiltered) ? new FilterCheck([.. operations.Where(static o => o.Unfiltered)]) : null;

    /// <summary>Adds the parameters.</summary>
    /// <returns>
    /// What follows a statement that shall do nothing where any of the operations may not be done. PostgreSQL looks at it once, before it calls the function (a condition without
    /// columns: "One-Time Filter").
    /// </returns>
    public string Bind(NpgsqlParameterCollection parameters)
    {
        int accounts = parameters.Count + 1, tenants = accounts + 1;
        parameters.Add(NpgsqlDbType.Bigint, [.. _operations.Select(static o => o.Mailbox.Account.Value).Distinct()], static a => a);
        parameters.Add(NpgsqlDbType.Bigint, [.. _operations.Select(static o => o.Tenant.Value).Distinct()], static t => t);
        return $"""
             where not exists (select from unnest(${accounts}) as x(account) cross join lateral (select from mail.sieve s where s.account_id = x.account and s.active is not null offset 0) s)
            and not exists (select from unnest(${tenants}) as x(tenant) cross join lateral (
                select from directory.sieve_script s where s.tenant_id = x.tenant and s.name in ('{ScriptNames.Before}', '{ScriptNames.After}') offset 0) s)
            """;
    }

    /// <summary>Commits a batch but for those that may not be done, which get the outcome <see cref="CommitStatus.Filtered"/>.</summary>
    /// <param name="commit">Commits some of the operations; their outcomes in the same order.</param>
    public static CommitOutcome[] Commit(IReadOnlyList<CommitOperation> operations, Func<IReadOnlyList<CommitOperation>, CommitOutcome[]> commit, NpgsqlConnection connection)
    {
        if (Of(operations)?.Find(connection) is not { Count: > 0 } filtered)
            return commit(operations);
        CommitOperation[] rest = [.. operations.Where(o => !filtered.Contains(o))];
        CommitOutcome[] outcomes = rest.Length > 0 ? commit(rest) : [];
        int next = 0;
        return [.. operations.Select(o => filtered.Contains(o) ? _filtered : outcomes[next++])];
    }

    private static readonly CommitOutcome _filtered = new(CommitStatus.Filtered, 0, UidSet.Empty, null, null, UidSet.Empty, UidSet.Empty, [], []);

    /// <summary>Those that may not be done. What was done before, when there was no filter yet, is none of them.</summary>
    private HashSet<CommitOperation> Find(NpgsqlConnection connection)
    {
        using NpgsqlCommand command = connection.CreateCommand();
        command.CommandTimeout = 0;
        command.CommandText =
            $"""
            select x.n from unnest($1, $2, $3, $4) with ordinality as x(account, tenant, incarnation, counter, n)
            left join lateral (select true as is_there from mail.sieve s where s.account_id = x.account and s.active is not null offset 0) a on true
            left join lateral (
                select true as is_there from directory.sieve_script s where s.tenant_id = x.tenant and s.name in ('{ScriptNames.Before}', '{ScriptNames.After}') limit 1) t on true
            where coalesce(a.is_there, t.is_there) and not exists (select from mail.operation p where p.account_id = x.account and p.incarnation = x.incarnation
                and p.counter = x.counter and p.at > now() - interval '12 hours' and p.at < now() + interval '1 hour')
            """;
        command.Parameters.Add(NpgsqlDbType.Bigint, _operations, static o => o.Mailbox.Account.Value);
        command.Parameters.Add(NpgsqlDbType.Bigint, _operations, static o => o.Tenant.Value);
        command.Parameters.Add(NpgsqlDbType.Bigint, _operations, static o => o.Id.Incarnation);
        command.Parameters.Add(NpgsqlDbType.Bigint, _operations, static o => o.Id.Counter);
        command.Prepare();
        var filtered = new HashSet<CommitOperation>();
        using NpgsqlDataReader reader = command.ExecuteReader();
        while (reader.Read())
            filtered.Add(_operations[(int)reader.GetInt64(0) - 1]);
        return filtered;
    }
}
