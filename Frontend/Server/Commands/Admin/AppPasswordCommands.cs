using System.CommandLine;
using System.Net;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin account app-password …</c></summary>
internal static class AppPasswordCommands
{
    public static Command Create() => new("app-password", "Passwords of an account for one program each, beside its own.") { Add(), List(), Remove() };

    private static Argument<string> User() => new("USER") { Description = "the address that it logs in with" };

    private static Argument<string> Name() => new("NAME") { Description = "what it is for, as its user calls it" };

    private static Command Add()
    {
        var (user, name) = (User(), Name());
        var protocols = new Option<string?>("--protocols") { Description = "only for these: imap,pop3,sieve,smtp… (default: all)" };
        var networks = new Option<string?>("--networks") { Description = "only from these: 192.0.2.0/24,2001:db8::/32 (default: anywhere)" };
        return AdminTarget.Command("add", "Makes one and prints it: it is not to be seen again.", [user, name, protocols, networks], async (stores, parsed) =>
        {
            string password = AppPassword.Generate();
            return AdminTarget.Report(
                await stores.Accounts.AddAppPasswordAsync(parsed.GetRequiredValue(user), parsed.GetRequiredValue(name), AppPassword.HashOf(password),
                    Words(parsed.GetValue(protocols)?.ToLowerInvariant()), Words(parsed.GetValue(networks))?.Select(Network).ToArray()),
                password);
        });
    }

    private static Command List()
    {
        var listing = new Listing();
        var user = User();
        return AdminTarget.Command("list", "Lists an account's, with their last use.", [user, listing.Json], async (stores, parsed) =>
            await stores.Accounts.ListAppPasswordsAsync(parsed.GetRequiredValue(user)) is { } rows
                ? listing.Print(
                    parsed, rows, null,
                    p => new { p.Name, p.Protocols, p.Networks, p.Created, p.LastUsed, LastAddress = p.LastAddress?.ToString() },
                    ("NAME", p => p.Name), ("PROTOCOLS", p => p.Protocols is { } all ? string.Join(',', all) : "all"), ("NETWORKS", p => p.Networks is { } all ? string.Join(',', all) : "all"),
                    ("CREATED", p => $"{p.Created:yyyy-MM-dd HH:mm}"), ("LAST USED", p => p.LastUsed is { } at ? $"{at:yyyy-MM-dd HH:mm} from {p.LastAddress}" : "-"))
                : AdminTarget.Refuse($"There is no account '{parsed.GetValue(user)}'."));
    }

    private static Command Remove()
    {
        var (user, name) = (User(), Name());
        return AdminTarget.Command("remove", "Takes one away; the account's sessions end.", [user, name], async (stores, parsed) => AdminTarget.Report(
            await stores.Accounts.RemoveAppPasswordAsync(parsed.GetRequiredValue(user), parsed.GetRequiredValue(name)), $"application password {parsed.GetValue(name)} of {parsed.GetValue(user)} removed"));
    }

    /// <summary>A list with commas; null for none.</summary>
    internal static string[]? Words(string? list) => list?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) is { Length: > 0 } words ? words : null;

    private static IPNetwork Network(string text) =>
        IPNetwork.TryParse(text.Contains('/') ? text : text + (text.Contains(':') ? "/128" : "/32"), out IPNetwork network) ? network : throw new OptionsException($"'{text}' is no network such as 192.0.2.0/24.");
}
