using System.CommandLine;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin mailbox …</c></summary>
internal static class MailboxCommands
{
    public static Command Create() => new("mailbox", "Mailboxes of an account.")
    {
        List(), MailboxAclCommands.Create(), MailboxExplainCommand.Create(), MailboxCheckCommand.Create(), MailboxRestoreCommands.CreateExpunged(), MailboxRestoreCommands.CreateRestore(),
        UidlImportCommand.Create(),
    };

    private static Command List()
    {
        var user = new Argument<string>("USER");
        var listing = new Listing();
        return AdminTarget.Command("list", "Lists an account's mailboxes with their counters and the silo that owns each.", [user, listing.Json], async (stores, parsed) =>
        {
            if (await stores.Accounts.ListMailboxesAsync(parsed.GetRequiredValue(user)) is not { } mailboxes)
            {
                Console.Error.WriteLine($"There is no account '{parsed.GetValue(user)}'.");
                return 1;
            }
            return listing.Print(
                parsed, mailboxes, null,
                m => new { Id = m.Id.Value, m.Path, m.SpecialUse, m.UidValidity, m.UidNext, m.Messages, m.Unseen, m.Bytes, m.Owner },
                ("MAILBOX", m => string.Join('/', m.Path)), ("ID", m => m.Id.ToString()), ("MESSAGES", m => $"{m.Messages}"), ("UNSEEN", m => $"{m.Unseen}"),
                ("BYTES", m => $"{m.Bytes}"), ("UIDNEXT", m => $"{m.UidNext}"), ("OWNER", m => m.Owner ?? "-"));
        });
    }
}
