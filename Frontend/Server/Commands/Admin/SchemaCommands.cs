using System.CommandLine;
using MailCluster.Storage.Membership;
using MailCluster.Storage.Schema;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin schema …</c></summary>
internal static class SchemaCommands
{
    public static Command Create() => new("schema", "The database's schema.") { Upgrade(), Status() };

    private static Command Upgrade()
    {
        var contract = new Option<bool>("--contract") { Description = "also take away what only older nodes need; refused while one is a member" };
        return AdminTarget.Command("upgrade", "Brings the database to this program's schema; nodes may go on running.", [contract], async (stores, parsed) =>
        {
            void Applying(SchemaMigration m) => Console.WriteLine($"applying {m.Number:0000}_{m.Name}");
            var applied = await SchemaMigrator.MigrateAsync(stores.Database, contract: false, Applying);
            if (parsed.GetValue(contract))
            {
                // Looked at when the tables that tell it are certainly there. A node that starts from now on is refused by the schema itself.
                var older = (await NodeMember.ListAsync(stores.Database, lately: false)).Where(m => m.CodeVersion is null || m.CodeVersion < SchemaMigrator.CodeVersion).ToList();
                if (older.Count > 0)
                {
                    return AdminTarget.Refuse($"Older nodes are members, nothing is taken away: {string.Join(", ", older.Select(Describe).Distinct())}. "
                        + $"Bring them to code version {SchemaMigrator.CodeVersion} or stop them, then run this again.");
                }
                applied = [.. applied, .. await SchemaMigrator.MigrateAsync(stores.Database, contract: true, Applying)];
            }
            Console.WriteLine(applied.Count == 0 ? "nothing to do" : $"{applied.Count} applied");
            return 0;
        }, anySchema: true);
    }

    private static string Describe(NodeMember m) =>
        $"{m.Name} ({(m.Silo ? "silo" : "front end")}, {(m.CodeVersion is { } version ? $"code version {version}" : "of a release that does not tell its version")}, last sign of life {m.LastSign.UtcDateTime:yyyy-MM-dd HH:mm:ss})";

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
