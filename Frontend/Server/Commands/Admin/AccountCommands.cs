using System.CommandLine;
using System.CommandLine.Parsing;
using MailCluster.Contracts;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin account …</c></summary>
internal static class AccountCommands
{
    public static Command Create() => new("account", "Users and their mail.")
    {
        Add(), AccountImport.Create(), AppPasswordCommands.Create(), List(), Show(), Password(), State(), Disable(), Enable(), Quota(), Manager(), Shared(), Rename(), Delete(),
    };

    private static Argument<string> User() => new("USER") { Description = "the address that it logs in with" };

    private static Command Add()
    {
        var user = User();
        var password = Passwords.FromStdin();
        return AdminTarget.Command("add", "Makes an account with its folders; without a password nobody can log in yet.", [user, password], async (stores, parsed) =>
        {
            var given = parsed.GetValue(password) ? Passwords.Read() : default;
            return AdminTarget.Report(await stores.Accounts.AddAsync(parsed.GetRequiredValue(user), given), $"account {parsed.GetValue(user)} made");
        });
    }

    private static Command List()
    {
        var listing = new Listing();
        var tenant = new Option<string?>("--tenant") { Description = "only this tenant's" };
        return AdminTarget.Command("list", "Lists accounts with usage and last log-in.", [tenant, listing.Json, listing.After, listing.Limit], async (stores, parsed) => Print(
            listing, parsed, await stores.Accounts.ListAsync(parsed.GetValue(tenant), parsed.GetValue(listing.After), parsed.GetValue(listing.Limit)), a => a.User));
    }

    private static Command Show()
    {
        var listing = new Listing();
        var user = User();
        return AdminTarget.Command("show", "Shows one account.", [user, listing.Json], async (stores, parsed) =>
            await stores.Accounts.FindAsync(parsed.GetRequiredValue(user)) is { } account
                ? Print(listing, parsed, [account], null)
                : AdminTarget.Refuse($"There is no account '{parsed.GetValue(user)}'."));
    }

    private static int Print(Listing listing, ParseResult parsed, IReadOnlyList<AccountRow> accounts, Func<AccountRow, string>? key) => listing.Print(
            parsed, accounts, key,
            a => new
            {
                Id = a.Id.Value, a.User, a.Tenant, a.Login, a.Delivery, a.Messages, a.Bytes, a.Quota.MaxMessages, a.Quota.MaxBytes, a.Created, a.LastLogin,
                LastAddress = a.LastAddress?.ToString(),
            },
            ("USER", a => a.User), ("TENANT", a => a.Tenant), ("LOG-IN", a => a.Login ? "on" : "off"), ("DELIVERY", a => a.Delivery.ToString().ToLowerInvariant()),
            ("MESSAGES", a => $"{a.Messages}"), ("BYTES", a => $"{a.Bytes}"), ("MAX BYTES", a => QuotaOptions.Show(a.Quota.MaxBytes)),
            ("LAST LOG-IN", a => a.LastLogin is { } at ? $"{at:yyyy-MM-dd HH:mm} from {a.LastAddress}" : "-"));

    private static Command Password()
    {
        var user = User();
        var password = Passwords.FromStdin();
        password.Required = true;
        return AdminTarget.Command("password", "Sets the password; sessions end.", [user, password], async (stores, parsed) => AdminTarget.Report(
            await stores.Accounts.SetPasswordAsync(parsed.GetRequiredValue(user), Passwords.Read()), $"password of {parsed.GetValue(user)} set"));
    }

    private static Command State()
    {
        var user = User();
        var login = new Option<string?>("--login") { Description = "on or off" };
        login.AcceptOnlyFromAmong("on", "off");
        var delivery = NamedOption.Create<DeliveryState>("--delivery", "on, deferred (senders try again) or refused");
        return AdminTarget.Command("state", "Switches log-in or delivery.", [user, login, delivery], async (stores, parsed) =>
            parsed.GetValue(login) is null && parsed.GetValue(delivery) is null
                ? throw new OptionsException("Say --login, --delivery, or both.")
                : AdminTarget.Report(
                    await stores.Accounts.SetStateAsync(parsed.GetRequiredValue(user), parsed.GetValue(login) is { } l ? l == "on" : null, parsed.GetValue(delivery)),
                    $"state of {parsed.GetValue(user)} set"));
    }

    private static Command Disable()
    {
        var user = User();
        return AdminTarget.Command("disable", "All off: sessions end, nobody logs in, mail is refused.", [user], async (stores, parsed) => AdminTarget.Report(
            await stores.Accounts.SetStateAsync(parsed.GetRequiredValue(user), false, DeliveryState.Refused), $"account {parsed.GetValue(user)} is off"));
    }

    private static Command Enable()
    {
        var user = User();
        return AdminTarget.Command("enable", "All on again.", [user], async (stores, parsed) => AdminTarget.Report(
            await stores.Accounts.SetStateAsync(parsed.GetRequiredValue(user), true, DeliveryState.On), $"account {parsed.GetValue(user)} is on"));
    }

    private static Command Quota()
    {
        var user = User();
        var quota = new QuotaOptions();
        return AdminTarget.Command("quota", "Limits what the account holds.", [user, .. quota.All], async (stores, parsed) =>
        {
            var now = await stores.Accounts.FindAsync(parsed.GetRequiredValue(user));
            return AdminTarget.Report(
                await stores.Accounts.SetQuotaAsync(parsed.GetRequiredValue(user), quota.Read(parsed, now?.Quota ?? default)), $"quota of {parsed.GetValue(user)} set");
        });
    }

    private static Command Manager()
    {
        var user = User();
        var state = new Argument<string>("STATE") { Description = "on or off" };
        state.AcceptOnlyFromAmong("on", "off");
        return AdminTarget.Command("manager", "Lets an account set quotas of its tenant's accounts by IMAP (RFC 9208), and the server's shared annotations (RFC 5464); from its next log-in on.", [user, state],
            async (stores, parsed) => AdminTarget.Report(
                await stores.Accounts.SetManagesAsync(parsed.GetRequiredValue(user), parsed.GetRequiredValue(state) == "on"),
                $"account {parsed.GetValue(user)} {(parsed.GetValue(state) == "on" ? "manages its tenant's accounts" : "manages no accounts")}"));
    }

    private static Command Shared()
    {
        var user = User();
        var state = new Argument<string>("STATE") { Description = "on or off" };
        state.AcceptOnlyFromAmong("on", "off");
        return AdminTarget.Command("shared", "Makes an account a store that is nobody's own: what it shares is listed below the tenant's shared folders. Rights: admin mailbox acl.", [user, state],
            async (stores, parsed) => AdminTarget.Report(
                await stores.Accounts.SetSharedStoreAsync(parsed.GetRequiredValue(user), parsed.GetRequiredValue(state) == "on"),
                $"account {parsed.GetValue(user)} is {(parsed.GetValue(state) == "on" ? "a shared store" : "a user's own")}"));
    }

    private static Command Rename()
    {
        var user = User();
        var to = new Argument<string>("NEW") { Description = "the new address" };
        return AdminTarget.Command("rename", "Gives an account another address; it keeps its mail.", [user, to], async (stores, parsed) => AdminTarget.Report(
            await stores.Accounts.RenameAsync(parsed.GetRequiredValue(user), parsed.GetRequiredValue(to)), $"account {parsed.GetValue(user)} is {parsed.GetValue(to)} now"));
    }

    private static Command Delete()
    {
        var user = User();
        return AdminTarget.Command("delete", "Deletes an account and its mail.", [user], async (stores, parsed) =>
            AdminTarget.Report(await stores.Accounts.DeleteAsync(parsed.GetRequiredValue(user)), $"account {parsed.GetValue(user)} deleted"));
    }
}
