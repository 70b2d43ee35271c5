using System.CommandLine;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Schema;
using Npgsql;

namespace MailCluster.Server.Commands;

/// <summary><c>mailcluster admin</c>: what an operator does to a running or a stopped cluster.</summary>
internal static class AdminCommand
{
    public static Command Create() => new("admin", "Administration of a cluster.") { Schema() };

    private static Command Schema()
    {
        var target = new AdminTarget();
        var contract = new Option<bool>("--contract") { Description = "also take away what only older nodes need: none may run any more" };
        var upgrade = new Command("upgrade", "Brings the database to this program's schema; nodes may go on running.") { contract };
        target.AddTo(upgrade);
        upgrade.SetAction(async (parsed, cancellationToken) =>
        {
            await using var dataSource = NpgsqlDataSource.Create(target.ConnectionString(parsed));
            var applied = await SchemaMigrator.MigrateAsync(
                dataSource, parsed.GetValue(contract), m => Console.WriteLine($"applying {m.Number:0000}_{m.Name}"), cancellationToken);
            Console.WriteLine(applied.Count == 0 ? "nothing to do" : $"{applied.Count} applied");
            return 0;
        });
        return new Command("schema", "The database's schema.") { upgrade };
    }
}
