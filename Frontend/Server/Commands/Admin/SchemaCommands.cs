using System.CommandLine;
using MailCluster.Storage.Schema;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin schema …</c></summary>
internal static class SchemaCommands
{
    public static Command Create() => new("schema", "The database's schema.") { Upgrade(), Status() };

    private static Command Upgrade()
    {
        var contract = new Option<bool>("--contract") { Description = "also take away what only older nodes need: none may run any more" };
        return AdminTarget.Command("upgrade", "Brings the database to this program's schema; nodes may go on running.", [contract], async (stores, parsed) =>
        {
            var applied = await SchemaMigrator.MigrateAsync(
                stores.Database, parsed.GetValue(contract), m => Console.WriteLine($"applying {m.Number:0000}_{m.Name}"));
            Console.WriteLine(applied.Count == 0 ? "nothing to do" : $"{applied.Count} applied");
            return 0;
        }, anySchema: true);
    }

    private static Command Status()
    {
        var listing = new Listing();
        return AdminTarget.Command("status", "Shows which migrations the database has; fails when this program can't run on it.", [listing.Json], async (stores, parsed) =>
        {
            var applied = await SchemaMigrator.AppliedAsync(stores.Database);
            var all = SchemaMigration.All.Select(m => (m.Number, m.Name)).Union(applied.Select(a => (a.Number, a.Name))).Order()
                .Select(m => (m.Number, m.Name, At: applied.Where(a => a.Number == m.Number).Select(a => (DateTime?)a.At).FirstOrDefault())).ToList();
            listing.Print(
                parsed, all, null, m => new { m.Number, m.Name, Applied = m.At },
                ("MIGRATION", m => $"{m.Number:0000}_{m.Name}"), ("APPLIED", m => m.At is { } at ? $"{at:yyyy-MM-dd HH:mm:ss}" : "-"));
            await SchemaMigrator.CheckAsync(stores.Database);
            return 0;
        }, anySchema: true);
    }
}
