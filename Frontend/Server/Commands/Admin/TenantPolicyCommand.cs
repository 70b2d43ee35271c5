using System.CommandLine;
using System.CommandLine.Parsing;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin tenant policy …</c></summary>
internal static class TenantPolicyCommand
{
    /// <summary>Those of <see cref="LoginPolicy.Mechanisms"/>.</summary>
    private static readonly string[] Mechanisms = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "OAUTHBEARER", "XOAUTH2", "EXTERNAL"];

    public static Command Create()
    {
        var listing = new Listing();
        var name = new Argument<string>("NAME");
        var mechanisms = new Option<string?>("--mechanisms") { Description = $"ways to log in, of {string.Join(',', Mechanisms)}; LOGIN, USER and PASS are PLAIN; 'default': all but EXTERNAL" };
        var protocols = new Option<string?>("--protocols") { Description = "imap,pop3,sieve,smtp…; 'all'" };
        var tls = new Option<bool?>("--tls") { Description = "true: log-ins under TLS only, also where a node allows them without" };
        var apps = new Option<bool?>("--app-passwords-only") { Description = "true: an account's own password opens no mail, only application passwords, tokens and certificates do" };
        var sha1 = new Option<bool?>("--scram-sha-1") { Description = "true: passwords set from now on, and used with PLAIN, are kept for SCRAM-SHA-1 as well" };
        return AdminTarget.Command("policy", "Shows or changes what log-ins of a tenant's accounts have to keep to; what is not named stays.",
            [name, mechanisms, protocols, tls, apps, sha1, listing.Json], async (stores, parsed) =>
        {
            if (await stores.Tenants.GetPolicyAsync(parsed.GetRequiredValue(name)) is not { } policy)
                return AdminTarget.Refuse($"There is no tenant '{parsed.GetValue(name)}'.");
            foreach (Option<string?> list in new[] { mechanisms, protocols })
            {
                if (parsed.GetValue(list) is { } given && AppPasswordCommands.Words(given) is null)
                    return AdminTarget.Refuse($"The option '{list.Name}' names nothing: nobody could log in.");
            }
            LoginPolicy changed = policy with
            {
                Mechanisms = Of(parsed.GetValue(mechanisms)?.ToUpperInvariant(), policy.Mechanisms, "DEFAULT"),
                Protocols = Of(parsed.GetValue(protocols)?.ToLowerInvariant(), policy.Protocols, "all"),
                Tls = parsed.GetValue(tls) ?? policy.Tls,
                AppPasswordsOnly = parsed.GetValue(apps) ?? policy.AppPasswordsOnly,
                ScramSha1 = parsed.GetValue(sha1) ?? policy.ScramSha1,
            };
            if (changed.Mechanisms?.Except(Mechanisms).FirstOrDefault() is { } unknown)
                return AdminTarget.Refuse($"'{unknown}' is not one of {string.Join(", ", Mechanisms)}.");
            if (changed == policy)
                return Print(listing, parsed, policy);
            return AdminTarget.Report(await stores.Tenants.SetPolicyAsync(parsed.GetRequiredValue(name), changed), $"policy of tenant {parsed.GetValue(name)} set");
        });
    }

    private static IReadOnlyList<string>? Of(string? given, IReadOnlyList<string>? now, string everything) =>
        given is null ? now : given == everything ? null : AppPasswordCommands.Words(given) ?? [];

    private static int Print(Listing listing, ParseResult parsed, LoginPolicy policy) => listing.Print(
        parsed, [policy], null, p => p,
        ("MECHANISMS", p => p.Mechanisms is { } all ? string.Join(',', all) : "default"), ("PROTOCOLS", p => p.Protocols is { } all ? string.Join(',', all) : "all"),
        ("TLS", p => p.Tls ? "needed" : "as the node says"), ("APP PASSWORDS ONLY", p => p.AppPasswordsOnly ? "yes" : "no"), ("SCRAM-SHA-1", p => p.ScramSha1 ? "kept" : "no"));
}
