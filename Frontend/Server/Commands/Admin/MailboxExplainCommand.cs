using System.CommandLine;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Mailboxes;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin mailbox explain USER MAILBOX</c>: all that is known of one mailbox, who works in it, and who did what to it.</summary>
internal static class MailboxExplainCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static Command Create()
    {
        var user = new Argument<string>("USER");
        var mailbox = new Argument<string>("MAILBOX") { Description = "its name, with '/' or the account's own delimiter" };
        var json = new Option<bool>("--json") { Description = "a JSON object" };
        var changes = NumberOption.Create("--changes", "how many of the last changes", usually: 100, least: 0, most: 10_000);
        return AdminTarget.Command("explain", "Shows a mailbox's numbers, its owner, the sessions that have it selected, and its last changes.", [user, mailbox, json, changes],
            async (stores, parsed) =>
            {
                var found = await MailboxLookup.MailboxAsync(stores.Database, parsed.GetRequiredValue(user), parsed.GetRequiredValue(mailbox));
                if (!found.IsOk)
                {
                    return AdminTarget.Refuse(found.Error.Text);
                }
                var key = found.Value;
                var asking = new OwnerInquiries(stores.Database).AskAsync(key, Patience);
                var sessions = await new SessionTable(stores.Database).SelectingAsync(key);
                var log = await MailboxExplanation.ChangesAsync(stores.Database, key, parsed.GetValue(changes));
                var owner = await asking;
                // Last, so that the numbers are not older than the answer.
                if (await MailboxExplanation.ReadAsync(stores.Database, key) is not { } row)
                {
                    return AdminTarget.Refuse($"{parsed.GetValue(user)} has no mailbox '{parsed.GetValue(mailbox)}' any more.");
                }
                if (parsed.GetValue(json))
                {
                    Console.WriteLine(Listing.Serialize(new
                    {
                        row.User, row.Path, Id = row.Key.Mailbox.Value, row.SpecialUse, row.UidValidity, row.UidNext, row.HighestModSeq, row.VanishedFloor, row.FirstRecent,
                        row.Messages, row.Unseen, row.Deleted, row.Bytes, row.Created, row.Epoch,
                        LastOwner = row.Owner, LastOwnerNode = row.OwnerNode, LastOwnerAlive = row.OwnerAlive, Owner = owner,
                        Sessions = sessions.Select(s => new { s.Node, s.SessionId, s.User, s.Protocol, s.Address, s.Client, s.SelectedAt, s.Since }), Changes = log,
                    }));
                    return 0;
                }
                Print(row, owner, sessions, log);
                return 0;
            });
    }

    private static void Print(MailboxExplanation row, OwnerAnswer? owner, IReadOnlyList<ListedSession> sessions, List<MailboxChange> log)
    {
        Console.WriteLine($"mailbox         {string.Join('/', row.Path)} of {row.User}, id {row.Key.Mailbox}, made {Time(row.Created)} {string.Join(' ', row.SpecialUse)}".TrimEnd());
        Console.WriteLine($"uidvalidity     {row.UidValidity}");
        Console.WriteLine($"uidnext         {row.UidNext}, first recent {row.FirstRecent}");
        Console.WriteLine($"highest modseq  {row.HighestModSeq}, the log of expunges begins above {row.VanishedFloor}");
        Console.WriteLine($"messages        {row.Messages}, {row.Unseen} unseen, {row.Deleted} deleted, {row.Bytes} octets");
        Console.WriteLine($"epoch           {row.Epoch}, claimed by {LastOwner(row)}");
        Console.WriteLine(owner is null
            ? "owner           not active"
            : $"owner           {owner.Node} at {owner.Address} since {Time(owner.Since)} under epoch {owner.Epoch}{(owner.Epoch < row.Epoch ? " (over)" : "")}, messages "
                + (owner.Loaded ? "in memory" : "not in memory"));
        Console.WriteLine(owner is null ? "queue           -" : $"queue           {owner.UnderWay} changes under way, {owner.Waiting} of them wait in the lane");
        Console.WriteLine();
        Console.WriteLine(sessions.Count == 0 ? "no session has it selected" : $"{sessions.Count} sessions have it selected (as of some seconds ago)");
        if (sessions.Count > 0)
        {
            Listing.PrintColumns(sessions, ("NODE", s => s.Node), ("SESSION", s => s.SessionId), ("USER", s => s.User), ("PROTOCOL", s => s.Protocol), ("ADDRESS", s => s.Address),
                ("SELECTED", s => s.SelectedAt is { } at ? Time(at) : "-"), ("CLIENT", s => s.Client ?? "-"));
        }
        Console.WriteLine();
        Console.WriteLine(log.Count == 0 ? "no change is in the log" : $"the last {log.Count} changes, the newest first");
        if (log.Count > 0)
        {
            Listing.PrintColumns(log, ("AT", c => Time(c.At)), ("MODSEQ", c => $"{c.ModSeq}"), ("WHAT", c => What(c.Kind)), ("UIDS", c => c.Uids), ("USER", c => c.User),
                ("SESSION", c => c.Session), ("ADDRESS", c => c.Address ?? "-"), ("CLIENT", c => c.Client ?? "-"));
        }
    }

    private static string LastOwner(MailboxExplanation row) => row switch
    {
        { Owner: null } => "nobody",
        { OwnerNode: null } => $"{row.Owner}, which is no member any more",
        _ => $"{row.OwnerNode} at {row.Owner}{(row.OwnerAlive ? "" : ", which is dead")}",
    };

    private static string What(MailboxChangeKind kind) => kind switch
    {
        MailboxChangeKind.Added => "added",
        MailboxChangeKind.Flags => "flags",
        MailboxChangeKind.Expunged => "expunged",
        MailboxChangeKind.Rights => "rights",
        MailboxChangeKind.CopiedIn => "copied in",
        MailboxChangeKind.MovedIn => "moved in",
        MailboxChangeKind.MovedOut => "moved out",
        _ => $"kind {(int)kind}",
    };

    private static string Time(DateTimeOffset at) => $"{at.UtcDateTime:yyyy-MM-dd HH:mm:ss}";
}
