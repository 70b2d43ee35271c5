using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>CANCELUPDATE (RFC 5267 §4.3.5).</summary>
internal static class CancelUpdate
{
    public static ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        bool all = true;
        foreach (string tag in command.Parse(SearchGrammar.ParseCancelUpdate))
            all &= state.Mailbox.Contexts.Cancel(tag);
        return new(all ? Completion.Done : Completion.No(null, "Not all of these searches were followed; now none of them is"));
    }
}
