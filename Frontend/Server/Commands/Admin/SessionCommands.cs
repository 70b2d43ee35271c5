using System.CommandLine;
using MailCluster.Contracts;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin session …</c></summary>
internal static class SessionCommands
{
    public static Command Create() => new("session", "Logged-in sessions.") { Kick() };

    private static Command Kick()
    {
        var user = new Option<string?>("--user") { Description = "an account's" };
        var tenant = new Option<string?>("--tenant") { Description = "those of a tenant's accounts" };
        var address = new Option<string?>("--address") { Description = "from a client address" };
        var node = new Option<string?>("--node") { Description = "on a front end" };
        return AdminTarget.Command("kick", "Ends the sessions for which all that is given fits; their clients may come back.", [user, tenant, address, node], async (stores, parsed) =>
        {
            AccountId? account = null;
            TenantId? of = null;
            if (parsed.GetValue(user) is { } name)
            {
                account = (await stores.Accounts.FindAsync(name))?.Id ?? throw new OptionsException($"There is no account '{name}'.");
            }
            if (parsed.GetValue(tenant) is { } tenantName)
            {
                of = (await stores.Tenants.FindAsync(tenantName))?.Id ?? throw new OptionsException($"There is no tenant '{tenantName}'.");
            }
            var filter = new SessionFilter(Address: parsed.GetValue(address), Node: parsed.GetValue(node));
            if (account is null && of is null && filter == new SessionFilter())
            {
                throw new OptionsException("Say whose: --user, --tenant, --address or --node.");
            }
            await stores.Events.KickAsync(account, of, filter);
            Console.WriteLine("the front ends were told");
            return 0;
        });
    }
}
