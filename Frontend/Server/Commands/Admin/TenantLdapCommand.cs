using System.CommandLine;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin tenant ldap …</c></summary>
internal static class TenantLdapCommand
{
    public static Command Create()
    {
        var listing = new Listing();
        var name = new Argument<string>("NAME");
        var url = new Option<string?>("--url") { Description = "ldaps://host[:port], or ldap://host[:port] with --starttls or on this machine" };
        var startTls = new Option<bool>("--starttls") { Description = "begin with StartTLS" };
        var ca = new Option<string?>("--ca-file") { Description = "PEM file on the silos: who signed the server's certificate (default: whom the system trusts)" };
        var dn = new Option<string?>("--user-dn") { Description = "DN of a user: uid={local},ou=people,dc=acme; {user} is the address, {local} and {domain} its parts" };
        var start = new Option<string?>("--base") { Description = "or: search below this DN" };
        var attribute = new Option<string?>("--attribute") { Description = "the attribute that has the address (default: mail)" };
        var bind = new Option<string?>("--bind-dn") { Description = "who searches and compares (default: anonymous)" };
        var secret = new Option<bool>("--bind-password-stdin") { Description = "that one's password is the first line of standard input" };
        var compare = new Option<string?>("--compare") { Description = "compare passwords with this attribute in place of a bind" };
        var remove = new Option<bool>("--remove") { Description = "passwords are checked here again" };
        return AdminTarget.Command("ldap", "Shows, sets or removes the LDAP server that checks the passwords of a tenant's accounts.",
            [name, url, startTls, ca, dn, start, attribute, bind, secret, compare, remove, listing.Json], async (stores, parsed) =>
        {
            string tenant = parsed.GetRequiredValue(name);
            if (parsed.GetValue(remove))
                return AdminTarget.Report(await stores.Tenants.SetLdapAsync(tenant, null), $"passwords of tenant {tenant} are checked here");
            if (parsed.GetValue(url) is not { } server)
            {
                return await stores.Tenants.GetLdapAsync(tenant) is { } known
                    ? listing.Print(parsed, [known], null, s => s with { BindPassword = null },
                        ("URL", s => s.Url), ("TLS", s => s.StartTls ? "StartTLS" : "as the URL says"), ("ENTRY", s => s.UserDn ?? $"{s.Attribute ?? "mail"} below {s.Base}"),
                        ("CHECK", s => s.Compare is { } with ? "compare with " + with : "bind"))
                    : AdminTarget.Refuse($"There is no tenant '{tenant}' with an LDAP server.");
            }
            return AdminTarget.Report(
                await stores.Tenants.SetLdapAsync(tenant, new LdapServer(server)
                {
                    StartTls = parsed.GetValue(startTls), CaFile = parsed.GetValue(ca), UserDn = parsed.GetValue(dn), Base = parsed.GetValue(start), Attribute = parsed.GetValue(attribute),
                    BindDn = parsed.GetValue(bind), BindPassword = parsed.GetValue(secret) ? Console.ReadLine() : null, Compare = parsed.GetValue(compare),
                }), $"passwords of tenant {tenant} are checked by {server}");
        });
    }
}
