using System.CommandLine;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin operator …</c></summary>
internal static class OperatorCommands
{
    public static Command Create() => new("operator", "Who may log in as users of tenants: PLAIN or SCRAM with the user as authorization identity.") { Set(), List(), Delete() };

    private static Argument<string> Name() => new("NAME");

    private static Command Set()
    {
        var name = Name();
        var password = Passwords.FromStdin();
        var tenants = new Option<string?>("--tenants") { Description = "whose users: names with commas, or 'all'", Required = true };
        return AdminTarget.Command("set", "Makes an operator, or changes password and tenants of one.", [name, password, tenants], async (stores, parsed) =>
        {
            var given = parsed.GetValue(password) ? Passwords.Read() : default;
            string[]? whose = parsed.GetValue(tenants) is "all" ? null : AppPasswordCommands.Words(parsed.GetValue(tenants)) ?? [];
            return AdminTarget.Report(await stores.Operators.SetAsync(parsed.GetRequiredValue(name), given.Stored, whose), $"operator {parsed.GetValue(name)} set");
        });
    }

    private static Command List()
    {
        var listing = new Listing();
        return AdminTarget.Command("list", "Lists operators with their last log-in.", [listing.Json, listing.After, listing.Limit], async (stores, parsed) => listing.Print(
            parsed, await stores.Operators.ListAsync(parsed.GetValue(listing.After), parsed.GetValue(listing.Limit)), o => o.Name,
            o => new { o.Name, o.Tenants, o.Created, o.LastLogin, LastAddress = o.LastAddress?.ToString() },
            ("NAME", o => o.Name), ("TENANTS", o => o.Tenants is { } all ? string.Join(',', all) : "all"),
            ("LAST LOG-IN", o => o.LastLogin is { } at ? $"{at:yyyy-MM-dd HH:mm} from {o.LastAddress}" : "-")));
    }

    private static Command Delete()
    {
        var name = Name();
        return AdminTarget.Command("delete", "Takes an operator away; sessions of his that are open stay until they end.", [name], async (stores, parsed) =>
            AdminTarget.Report(await stores.Operators.DeleteAsync(parsed.GetRequiredValue(name)), $"operator {parsed.GetValue(name)} deleted"));
    }
}
