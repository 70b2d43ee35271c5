using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>What a session asks for once, and what then changes how it is spoken to.</summary>
internal static class Modes
{
    /// <summary>ENABLE UIDONLY (RFC 9586).</summary>
    public static async Task UidOnlyAsync(ImapSession session)
    {
        if (!session.Can("UIDONLY"))
            return;
        Answer enabled = await session.RunAsync(new Command("ENABLE", "UIDONLY") { Act = static _ => new Read("ENABLE", null) });
        session.Model.HasUidOnly = enabled.IsOk;
    }

    /// <summary>NOTIFY (RFC 5465) for whatever mailbox is selected: all is told at once, also what is gone.</summary>
    public static async Task NotifyAsync(ImapSession session)
    {
        if (!session.Can("NOTIFY"))
            return;
        session.Model.IsToldAtOnce = true;
        await session.RunAsync(new Command("NOTIFY", "SET (SELECTED (MessageNew (UID FLAGS) MessageExpunge FlagChange))") { Act = static _ => new Read("NOTIFY", null) });
    }
}
