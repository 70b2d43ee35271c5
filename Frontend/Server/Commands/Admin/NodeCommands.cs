using System.CommandLine;
using Orleans.Runtime;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin node …</c></summary>
internal static class NodeCommands
{
    private sealed record Member(string Name, string Address, string Status, int? CodeVersion, DateTime Started, DateTime LastSign);

    public static Command Create() => new("node", "Silos of the cluster.") { List() };

    private static Command List()
    {
        var listing = new Listing();
        var all = new Option<bool>("--all") { Description = "dead ones, too" };
        return AdminTarget.Command("list", "Lists the silos in the membership.", [all, listing.Json], async (stores, parsed) =>
        {
            var members = new List<Member>();
            await using var command = stores.Database.CreateCommand(
                """
                SELECT m.silo_name, m.address || ':' || m.port || '@' || m.generation, m.status, s.code_version, m.start_time, m.i_am_alive_time
                FROM orleans.membership m LEFT JOIN directory.silo s ON s.address = m.address || ':' || m.port || '@' || m.generation
                WHERE $1 OR m.status <> $2 ORDER BY m.silo_name, m.start_time
                """);
            command.Parameters.Add(new() { Value = parsed.GetValue(all) });
            command.Parameters.Add(new() { Value = (int)SiloStatus.Dead });
            await using var reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
            {
                members.Add(new(reader.GetString(0), reader.GetString(1), ((SiloStatus)reader.GetInt32(2)).ToString(), reader.IsDBNull(3) ? null : reader.GetInt32(3),
                    reader.GetDateTime(4), reader.GetDateTime(5)));
            }
            return listing.Print(
                parsed, members, null, m => m, ("NODE", m => m.Name), ("ADDRESS", m => m.Address), ("STATUS", m => m.Status), ("CODE", m => m.CodeVersion is { } v ? $"{v}" : "-"),
                ("STARTED", m => $"{m.Started:yyyy-MM-dd HH:mm:ss}"), ("LAST SIGN OF LIFE", m => $"{m.LastSign:yyyy-MM-dd HH:mm:ss}"));
        });
    }
}
