using System.Collections.Frozen;
using MailCluster.Imap.Commands;
using MailCluster.Imap.Session;

namespace MailCluster.Imap.Dialects;

/// <summary>
/// What clients older than IMAP4rev1 say, on listeners that have it switched on (<see cref="ImapOptions.Dialects"/>): IMAP2 (RFC 1064, RFC 1176) and what IMAP3 (RFC 1203) shares with it, IMAP2bis,
/// IMAP4 (RFC 1730), as RFC 1732, RFC 2061 and RFC 2062 tell it. All else is this folder's business as little as that of the commands.
/// </summary>
internal static class OldCommands
{
    /// <summary>What CAPABILITY says besides; older protocols have no such command.</summary>
    public const string Capability = " IMAP4";

    private static readonly FrozenDictionary<string, CommandRow> Rows = new CommandRow[]
    {
        CommandTable.Row<Authenticated>("FIND", Effects.None, FindMailboxes.RunAsync),
        CommandTable.Row<Authenticated>("BBOARD", Effects.None, FindMailboxes.BulletinBoardAsync),
        CommandTable.Row<Authenticated>("SUBSCRIBE", Effects.None, OldSubscribe.SubscribeAsync),
        CommandTable.Row<Authenticated>("UNSUBSCRIBE", Effects.None, OldSubscribe.UnsubscribeAsync),
        CommandTable.Row<Selected>("PARTIAL", Effects.SyncsFirst | Effects.KeepsNumbers | Effects.TakesNumbers, PartialFetch.RunAsync),
        CommandTable.Row<Selected>("UID PARTIAL", Effects.SyncsFirst, PartialFetch.RunAsync),
    }.ToFrozenDictionary(static row => row.Name);

    /// <summary>The row of a command that is another one, or none, in IMAP4rev1.</summary>
    public static CommandRow? Find(string name) => Rows.GetValueOrDefault(name);
}
