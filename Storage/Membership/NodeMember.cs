using MailCluster.Storage.Directories;
using Npgsql;

namespace MailCluster.Storage.Membership;

/// <summary>A node that is in the cluster's tables.</summary>
/// <param name="Silo">A silo of the membership; false: a front end that keeps the list of its sessions. A node with both roles is there twice.</param>
/// <param name="CodeVersion">Of its program, as <see cref="Schema.SchemaMigrator.CodeVersion"/>; null: of a release that did not tell it yet.</param>
/// <param name="LastSign">Its last sign of life.</param>
public sealed record NodeMember(string Name, bool Silo, int? CodeVersion, DateTimeOffset LastSign)
{
    /// <summary>Silos write every 5 s, front ends as well.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Silos that are not dead, and front ends that were seen lately.</summary>
    /// <param name="lately">Only those that gave a sign of life in the last <see cref="Patience"/>: others may have been killed with nobody left to notice.</param>
    /// <exception cref="Contracts.StoreUnavailableException">PostgreSQL can't be reached.</exception>
    public static Task<List<NodeMember>> ListAsync(NpgsqlDataSource database, bool lately) => Store.Guard(() => database.ListAsync(
        """
        select m.silo_name, true, s.code_version, m.i_am_alive_time from orleans.membership m
        left join directory.silo s on s.address = m.address || ':' || m.port || '@' || m.generation
        where m.status <> 6 and (not $1 or m.i_am_alive_time > now() - $2)
        union all
        select f.node, false, case when f.version_seen = f.seen then f.code_version end, f.seen from directory.front_end f where f.seen > now() - $2
        order by 1, 2 desc
        """,
        static r => new NodeMember(r.GetString(0), r.GetBoolean(1), r.IsDBNull(2) ? null : r.GetInt32(2), r.GetFieldValue<DateTimeOffset>(3)), lately, Patience));

    /// <summary>Notes which code a silo runs; forgets those of silos that are no longer in the membership.</summary>
    /// <param name="address">With generation, as in the membership.</param>
    /// <exception cref="Contracts.StoreUnavailableException">PostgreSQL can't be reached.</exception>
    public static Task NoteAsync(NpgsqlDataSource database, string address, string node) => Store.Guard(() => database.ExecuteAsync(
        """
        with gone as (
            delete from directory.silo s where s.started < now() - interval '1 hour' and not exists (
                select 1 from orleans.membership m where m.address || ':' || m.port || '@' || m.generation = s.address)
        )
        insert into directory.silo (address, node, code_version) values ($1, $2, $3) on conflict (address) do update set code_version = $3
        """, address, node, Schema.SchemaMigrator.CodeVersion));
}
