using System.CommandLine;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin junk …</c>: where a tenant's reports of spam and ham go.</summary>
internal static class JunkCommands
{
    public static Command Create() => new("junk", "Reports of what users move into and out of Junk, to a tenant's spam filter.") { Set(), Off() };

    private static Command Set()
    {
        var tenant = new Argument<string>("TENANT");
        var spam = new Option<string>("--spam-url") { Description = "where spam is posted", Required = true };
        var ham = new Option<string>("--ham-url") { Description = "where ham is posted", Required = true };
        var header = new Option<bool>("--header-stdin") { Description = "a header line to send along ('Password: …'), from the standard input" };
        return AdminTarget.Command("set", "Posts each message that moves into Junk to one address, and each that moves out, but not to Trash, to another.", [tenant, spam, ham, header], async (stores, parsed) =>
        {
            if (await stores.Tenants.FindAsync(parsed.GetRequiredValue(tenant)) is not { } found)
                return AdminTarget.Refuse($"There is no tenant '{parsed.GetRequiredValue(tenant)}'.");
            foreach (string url in new[] { parsed.GetRequiredValue(spam), parsed.GetRequiredValue(ham) })
            {
                if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
                    return AdminTarget.Refuse($"'{url}' is no http or https address.");
            }
            string? line = parsed.GetValue(header) ? await Console.In.ReadLineAsync() : null;
            if (line is not null && line.IndexOf(':') < 1)
                return AdminTarget.Refuse("A header line is 'Name: value'.");
            await stores.Junk.SetAsync(found.Id, parsed.GetRequiredValue(spam), parsed.GetRequiredValue(ham), line);
            Console.WriteLine($"tenant {found.Name}: reports are posted");
            return 0;
        });
    }

    private static Command Off()
    {
        var tenant = new Argument<string>("TENANT");
        return AdminTarget.Command("off", "Ends the reports of a tenant.", [tenant], async (stores, parsed) =>
            await stores.Tenants.FindAsync(parsed.GetRequiredValue(tenant)) is not { } found ? AdminTarget.Refuse($"There is no tenant '{parsed.GetRequiredValue(tenant)}'.")
            : await stores.Junk.ClearAsync(found.Id) ? Told($"tenant {found.Name}: no reports any more") : AdminTarget.Refuse($"The tenant '{found.Name}' has no reports."));
    }

    private static int Told(string text)
    {
        Console.WriteLine(text);
        return 0;
    }
}
