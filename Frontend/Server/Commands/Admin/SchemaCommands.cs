using System.CommandLine;
using MailCluster.Storage.Schema;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin schema …</c></summary>
internal static class SchemaCommands
{
    public static Command Create() => new("schema", "The database's schema.") { Upgrade() };

    private static Command Upgrade()
    {
        var contract = new Option<bool>("--contract") { Description = "also take away what only older nodes need: none may run any more" };
        return AdminTarget.Command("upgrade", "Brings the database to this program's schema; nodes may go on running.", [contract], async (stores, parsed) =>
        {
            var applied = await SchemaMigrator.MigrateAsync(
                stores.Database, parsed.GetValue(contract), m => Console.WriteLine($"applying {m.Number:0000}_{m.Name}"));
            Console.WriteLine(applied.Count == 0 ? "nothing to do" : $"{applied.Count} applied");
            return 0;
        });
    }
}
