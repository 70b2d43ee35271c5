using System.CommandLine;
using System.CommandLine.Parsing;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin tenant …</c></summary>
internal static class TenantCommands
{
    public static Command Create() => new("tenant", "Customers of the provider: each has domains, accounts and a quota of its own.") { Add(), List(), Show(), Switch("enable", true), Switch("disable", false), Set(), Quota(), TenantPolicyCommand.Create(), TenantOAuthCommand.Create(), TenantLdapCommand.Create(), TenantSharingCommands.Create(), Delete() };

    private static Command Add()
    {
        var name = new Argument<string>("NAME");
        return AdminTarget.Command("add", "Makes a tenant.", [name], async (stores, parsed) =>
            AdminTarget.Report(await stores.Tenants.AddAsync(parsed.GetRequiredValue(name)), $"tenant {parsed.GetValue(name)} made"));
    }

    private static Command List()
    {
        var listing = new Listing();
        return AdminTarget.Command("list", "Lists tenants.", [listing.Json, listing.After, listing.Limit], async (stores, parsed) =>
            Print(listing, parsed, await stores.Tenants.ListAsync(parsed.GetValue(listing.After), parsed.GetValue(listing.Limit)), t => t.Name));
    }

    private static Command Show()
    {
        var listing = new Listing();
        var name = new Argument<string>("NAME");
        return AdminTarget.Command("show", "Shows one tenant.", [name, listing.Json], async (stores, parsed) =>
            await stores.Tenants.FindAsync(parsed.GetRequiredValue(name)) is { } tenant
                ? Print(listing, parsed, [tenant], null)
                : AdminTarget.Refuse($"There is no tenant '{parsed.GetValue(name)}'."));
    }

    private static int Print(Listing listing, ParseResult parsed, IReadOnlyList<TenantRow> tenants, Func<TenantRow, string>? key) => listing.Print(
            parsed, tenants, key,
            t => new { t.Name, t.Enabled, t.Accounts, t.Messages, t.Bytes, t.Quota.MaxMessages, t.Quota.MaxBytes, t.Created },
            ("TENANT", t => t.Name), ("STATE", t => t.Enabled ? "on" : "off"), ("ACCOUNTS", t => $"{t.Accounts}"),
            ("MESSAGES", t => $"{t.Messages}"), ("BYTES", t => $"{t.Bytes}"),
            ("MAX MESSAGES", t => QuotaOptions.Show(t.Quota.MaxMessages)), ("MAX BYTES", t => QuotaOptions.Show(t.Quota.MaxBytes)));

    private static Command Switch(string verb, bool enabled)
    {
        var name = new Argument<string>("NAME");
        return AdminTarget.Command(verb, enabled ? "Lets its accounts log in and get mail again." : "Ends its sessions; nobody logs in, mail is deferred.", [name],
            async (stores, parsed) => AdminTarget.Report(
                await stores.Tenants.SetEnabledAsync(parsed.GetRequiredValue(name), enabled), $"tenant {parsed.GetValue(name)} is {(enabled ? "on" : "off")}"));
    }

    private static Command Set()
    {
        var name = new Argument<string>("NAME");
        var delimiter = new Option<string?>("--delimiter") { Description = "Between the levels of mailbox names: / or . (default /)." };
        var prefix = new Option<string?>("--prefix") { Description = "Of the personal namespace: empty, or e.g. INBOX. (default empty)." };
        var folders = new Option<string?>("--folders") { Description = "Of accounts made from now on: Sent=\\Sent,Projects,Trash=\\Trash… with '/' between levels; INBOX is always made." };
        var deduplicate = new Option<bool?>("--deduplicate") { Description = "Whether a byte-identical redelivery within 24 hours is not stored again: true or false (default true)." };
        var contact = new Option<string?>("--contact") { Description = "How its users reach their administrator, a URI (mailto:…): /shared/admin of RFC 5464; empty for none." };
        var comment = new Option<string?>("--comment") { Description = "What its users read as /shared/comment of the server; empty for none." };
        var pop3Lock = new Option<bool?>("--pop3-lock") { Description = "Whether one POP3 session of an account shuts out another; IMAP never is: true or false (default true)." };
        var otherUsers = new Option<string?>("--other-users") { Description = "The first level of other users' mailboxes (default Other Users); empty for no such namespace." };
        var sharedFolders = new Option<string?>("--shared-folders") { Description = "The first level of mailboxes of shared accounts (default Shared Folders); empty to list them as other users'." };
        Option[] options = [delimiter, prefix, folders, deduplicate, contact, comment, otherUsers, sharedFolders, pop3Lock];
        return AdminTarget.Command("set", "Changes settings of a tenant; those that are not named stay.", [name, .. options], async (stores, parsed) =>
        {
            if ((parsed.GetValue(otherUsers) ?? parsed.GetValue(sharedFolders)) is not null
                && await stores.Tenants.SetNamespacesAsync(parsed.GetRequiredValue(name), parsed.GetValue(otherUsers), parsed.GetValue(sharedFolders)) is { Error: { } notAllowed })
                return AdminTarget.Refuse(notAllowed.Text);
            if (parsed.GetValue(contact) is { Length: > 0 } uri && !Uri.TryCreate(uri, UriKind.Absolute, out _))
                return AdminTarget.Refuse($"'{uri}' is no URI.");
            foreach ((string entry, string? value) in ((string, string?)[])[("/shared/admin", parsed.GetValue(contact)), ("/shared/comment", parsed.GetValue(comment))])
            {
                if (value is not null && await stores.Tenants.SetAnnotationAsync(parsed.GetRequiredValue(name), entry, value) is { Error: { } refused })
                    return AdminTarget.Refuse(refused.Text);
            }
            string? between = parsed.GetValue(delimiter);
            if (between is { Length: not 1 })
                return AdminTarget.Refuse("The option '--delimiter' takes one character: / or .");
            return AdminTarget.Report(
                await stores.Tenants.SetAsync(parsed.GetRequiredValue(name), between?[0], parsed.GetValue(prefix), parsed.GetValue(folders) is { } list ? Folders(list) : null, parsed.GetValue(deduplicate), parsed.GetValue(pop3Lock)),
                $"tenant {parsed.GetValue(name)} is changed");
        });
    }

    private static List<(string Name, string? SpecialUse)> Folders(string list) =>
    [
        .. list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(static f => f.Split('=', 2)).Select(static f => (f[0], f.ElementAtOrDefault(1))),
    ];

    private static Command Quota()
    {
        var name = new Argument<string>("NAME");
        var quota = new QuotaOptions();
        return AdminTarget.Command("quota", "Limits what all its accounts hold together.", [name, .. quota.All], async (stores, parsed) =>
        {
            var now = await stores.Tenants.FindAsync(parsed.GetRequiredValue(name));
            return AdminTarget.Report(
                await stores.Tenants.SetQuotaAsync(parsed.GetRequiredValue(name), quota.Read(parsed, now?.Quota ?? default)), $"quota of tenant {parsed.GetValue(name)} set");
        });
    }

    private static Command Delete()
    {
        var name = new Argument<string>("NAME");
        return AdminTarget.Command("delete", "Deletes a tenant that has no accounts any more, with its domains and aliases.", [name], async (stores, parsed) =>
            AdminTarget.Report(await stores.Tenants.DeleteAsync(parsed.GetRequiredValue(name)), $"tenant {parsed.GetValue(name)} deleted"));
    }
}
