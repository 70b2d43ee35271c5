using System.CommandLine;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin tenant sharing …</c>: which tenants share mailboxes with each other.</summary>
internal static class TenantSharingCommands
{
    public static Command Create() => new("sharing",
        "Which tenants share. A tenant that is added says so for both directions: accounts of the other may be given rights on its mailboxes, and its accounts rights on the other's. "
        + "It takes effect when the other tenant has said the same of it, and ends when one of the two takes it back.") { Add(), List(), Delete() };

    private static Argument<string> Name() => new("NAME") { Description = "the tenant that says so" };

    private static Argument<string> With() => new("WITH") { Description = "the tenant that it shares with" };

    private static Command Add()
    {
        var (name, with) = (Name(), With());
        return AdminTarget.Command("add", "Says for tenant NAME that it shares with tenant WITH. Rights that were given before count again.", [name, with], async (stores, parsed) =>
        {
            var (one, other) = (parsed.GetRequiredValue(name), parsed.GetRequiredValue(with));
            var added = await stores.Tenants.ShareAsync(one, other);
            return AdminTarget.Report(added, added.IsOk && added.Value ? $"tenants {one} and {other} share" : $"tenant {one} shares with {other}, once that says so, too");
        });
    }

    private static Command Delete()
    {
        var (name, with) = (Name(), With());
        return AdminTarget.Command("delete", "Takes back that tenant NAME shares with tenant WITH: access ends, in both directions. Rights stay listed (admin mailbox acl list) and count for nothing. "
            + "A command that was broken off is to be given again.", [name, with], async (stores, parsed) =>
                AdminTarget.Report(await stores.Tenants.UnshareAsync(parsed.GetRequiredValue(name), parsed.GetRequiredValue(with)),
                    $"tenant {parsed.GetValue(name)} does not share with {parsed.GetValue(with)}"));
    }

    private static Command List()
    {
        var listing = new Listing();
        var name = new Argument<string?>("NAME") { Description = "only what this tenant has said, or what was said of it", Arity = ArgumentArity.ZeroOrOne };
        return AdminTarget.Command("list", "Lists what tenants have said.", [name, listing.Json, listing.After, listing.Limit], async (stores, parsed) => listing.Print(
            parsed, await stores.Tenants.ListSharingAsync(parsed.GetValue(name), parsed.GetValue(listing.After), parsed.GetValue(listing.Limit)), s => $"{s.Tenant}/{s.With}",
            s => new { s.Tenant, s.With, s.Since, s.Mutual },
            ("TENANT", s => s.Tenant), ("SHARES WITH", s => s.With), ("SINCE", s => $"{s.Since:u}"), ("IN EFFECT", s => s.Mutual ? "yes" : $"no, {s.With} has not said so")));
    }
}
