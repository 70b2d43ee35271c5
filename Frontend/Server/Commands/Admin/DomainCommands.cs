using System.CommandLine;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin domain …</c></summary>
internal static class DomainCommands
{
    public static Command Create() => new("domain", "Mail domains.") { Add(), List(), Delete() };

    private static Command Add()
    {
        var name = new Argument<string>("DOMAIN");
        var tenant = new Option<string>("--tenant") { Description = "the tenant's name", Required = true };
        return AdminTarget.Command("add", "Gives a tenant a domain.", [name, tenant], async (stores, parsed) => AdminTarget.Report(
            await stores.Tenants.AddDomainAsync(parsed.GetRequiredValue(name), parsed.GetRequiredValue(tenant)), $"domain {parsed.GetValue(name)} made"));
    }

    private static Command List()
    {
        var listing = new Listing();
        var tenant = new Option<string?>("--tenant") { Description = "only this tenant's" };
        return AdminTarget.Command("list", "Lists domains.", [tenant, listing.Json, listing.After, listing.Limit], async (stores, parsed) => listing.Print(
            parsed, await stores.Tenants.ListDomainsAsync(parsed.GetValue(tenant), parsed.GetValue(listing.After), parsed.GetValue(listing.Limit)), d => d.Name,
            d => d, ("DOMAIN", d => d.Name), ("TENANT", d => d.Tenant)));
    }

    private static Command Delete()
    {
        var name = new Argument<string>("DOMAIN");
        return AdminTarget.Command("delete", "Deletes a domain that no account and no alias has any more.", [name], async (stores, parsed) =>
            AdminTarget.Report(await stores.Tenants.DeleteDomainAsync(parsed.GetRequiredValue(name)), $"domain {parsed.GetValue(name)} deleted"));
    }
}
