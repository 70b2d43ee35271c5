using System.CommandLine;
using MailCluster.Contracts;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin session …</c></summary>
internal static class SessionCommands
{
    public static Command Create() => new("session", "Logged-in sessions.") { List(), Kick() };

    private static Command List()
    {
        var listing = new Listing();
        var (user, tenant, address, node) = Which();
        return AdminTarget.Command("list", "Lists sessions on all front ends, as they were some seconds ago.", [user, tenant, address, node, listing.Json, listing.After, listing.Limit],
            async (stores, parsed) =>
            {
                // The key of a row: its front end and its session.
                var after = (parsed.GetValue(listing.After) ?? "/").Split('/', 2);
                var sessions = await new SessionTable(stores.Database).ListAsync(
                    parsed.GetValue(user)?.ToLowerInvariant(), parsed.GetValue(tenant), parsed.GetValue(address), parsed.GetValue(node),
                    after[0], after.Length > 1 ? after[1] : "", parsed.GetValue(listing.Limit));
                return listing.Print(
                    parsed, sessions, s => $"{s.Node}/{s.SessionId}", s => new { s.Node, s.SessionId, s.User, s.Operator, s.Protocol, s.Address, s.Since },
                    ("NODE", s => s.Node), ("SESSION", s => s.SessionId), ("USER", s => s.User), ("OPERATOR", s => s.Operator ?? "-"), ("PROTOCOL", s => s.Protocol), ("ADDRESS", s => s.Address),
                    ("SINCE", s => $"{s.Since.UtcDateTime:yyyy-MM-dd HH:mm:ss}"));
            });
    }

    private static (Option<string?> User, Option<string?> Tenant, Option<string?> Address, Option<string?> Node) Which() => (
        new("--user") { Description = "an account's" }, new("--tenant") { Description = "those of a tenant's accounts" },
        new("--address") { Description = "from a client address" }, new("--node") { Description = "on a front end" });

    private static Command Kick()
    {
        var (user, tenant, address, node) = Which();
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
