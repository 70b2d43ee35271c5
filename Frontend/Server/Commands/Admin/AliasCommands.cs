using System.CommandLine;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin alias …</c></summary>
internal static class AliasCommands
{
    public static Command Create() => new("alias", "Addresses that lead to other addresses.") { Set(), List(), Delete() };

    private static Command Set()
    {
        var address = new Argument<string>("ADDRESS");
        var targets = new Argument<string[]>("TARGET") { Arity = ArgumentArity.OneOrMore };
        return AdminTarget.Command("set", "Makes or replaces an alias.", [address, targets], async (stores, parsed) => AdminTarget.Report(
            await stores.Tenants.SetAliasAsync(parsed.GetRequiredValue(address), parsed.GetRequiredValue(targets)), $"alias {parsed.GetValue(address)} set"));
    }

    private static Command List()
    {
        var listing = new Listing();
        var tenant = new Option<string?>("--tenant") { Description = "only this tenant's" };
        return AdminTarget.Command("list", "Lists aliases.", [tenant, listing.Json, listing.After, listing.Limit], async (stores, parsed) => listing.Print(
            parsed, await stores.Tenants.ListAliasesAsync(parsed.GetValue(tenant), parsed.GetValue(listing.After), parsed.GetValue(listing.Limit)), a => a.Address,
            a => a, ("ALIAS", a => a.Address), ("TENANT", a => a.Tenant), ("TARGETS", a => string.Join(", ", a.Targets))));
    }

    private static Command Delete()
    {
        var address = new Argument<string>("ADDRESS");
        return AdminTarget.Command("delete", "Deletes an alias.", [address], async (stores, parsed) =>
            AdminTarget.Report(await stores.Tenants.DeleteAliasAsync(parsed.GetRequiredValue(address)), $"alias {parsed.GetValue(address)} deleted"));
    }
}
