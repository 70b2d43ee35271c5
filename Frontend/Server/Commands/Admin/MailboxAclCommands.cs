using System.CommandLine;
using MailCluster.Contracts;
using MailCluster.Storage.Accounts;
using MailCluster.Storage.Mailboxes;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin mailbox acl …</c>: who may do what with a mailbox (RFC 4314).</summary>
internal static class MailboxAclCommands
{
    public static Command Create() => new("acl", "Rights of other accounts on a mailbox.") { List(), Set(), Delete() };

    private static Argument<string> User() => new("USER") { Description = "the account whose mailbox it is" };

    private static Argument<string> Mailbox() => new("MAILBOX");

    private static Argument<string> Who() => new("WHO") { Description = "a log-in name of the tenant or of one that it shares with, or anyone (of the tenant); with - in front, rights that are taken away whoever grants them" };

    private static Command List()
    {
        var (user, mailbox, listing) = (User(), Mailbox(), new Listing());
        return AdminTarget.Command("list", "Lists a mailbox's rights; its own account has all and is not listed.", [user, mailbox, listing.Json], async (stores, parsed) =>
        {
            var found = await MailboxLookup.MailboxAsync(stores.Database, parsed.GetRequiredValue(user), parsed.GetRequiredValue(mailbox));
            if (!found.IsOk)
                return AdminTarget.Refuse(found.Error.Text);
            var rights = await new AclStore(stores.Database).ListAsync(found.Value);
            return listing.Print(parsed, rights, null, r => new { r.Line.Name, r.Line.Negative, Rights = r.Line.Rights.ToLetters(), r.Counts },
                ("WHO", r => (r.Line.Negative ? "-" : "") + r.Line.Name), ("RIGHTS", r => r.Line.Rights.ToLetters()), ("COUNTS", r => r.Counts ? "yes" : "no, the tenants do not share"));
        });
    }

    private static Command Set()
    {
        var (user, mailbox, who) = (User(), Mailbox(), Who());
        var rights = new Argument<string>("RIGHTS") { Description = "letters of RFC 4314, e.g. lrs; with + or - in front they are added or taken away" };
        return AdminTarget.Command("set", "Sets rights on a mailbox; sessions go by them from their next command on.", [user, mailbox, who, rights], async (stores, parsed) =>
        {
            string letters = parsed.GetRequiredValue(rights);
            StoreMode mode = letters switch { ['+', ..] => StoreMode.Add, ['-', ..] => StoreMode.Remove, _ => StoreMode.Replace };
            return MailRightsText.Parse(mode == StoreMode.Replace ? letters : letters[1..]) is { } parsedRights
                ? await ChangeAsync(stores, parsed.GetRequiredValue(user), parsed.GetRequiredValue(mailbox), parsed.GetRequiredValue(who), mode, parsedRights)
                : AdminTarget.Refuse($"'{letters}' are no rights: lrswipkxtea.");
        });
    }

    private static Command Delete()
    {
        var (user, mailbox, who) = (User(), Mailbox(), Who());
        return AdminTarget.Command("delete", "Takes a line of rights away.", [user, mailbox, who], (stores, parsed) =>
            ChangeAsync(stores, parsed.GetRequiredValue(user), parsed.GetRequiredValue(mailbox), parsed.GetRequiredValue(who), StoreMode.Replace, MailRights.None));
    }

    private static async Task<int> ChangeAsync(Stores stores, string user, string mailbox, string who, StoreMode mode, MailRights rights)
    {
        var found = await MailboxLookup.MailboxAsync(stores.Database, user, mailbox);
        return found.IsOk
            ? AdminTarget.Report(await new AclStore(stores.Database).SetAsync(found.Value, who.TrimStart('-'), who.StartsWith('-'), mode, rights), $"rights of {who} on {mailbox} set")
            : AdminTarget.Refuse(found.Error.Text);
    }
}
