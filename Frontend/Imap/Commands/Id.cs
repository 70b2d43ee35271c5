using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>ID (RFC 2971). Before a log-in it tells no version; what the client says of itself goes to the log and to administrators.</summary>
internal static class Id
{
    public static ValueTask<Completion> RunAsync(ImapSession session, SessionState state, Command command)
    {
        IReadOnlyList<KeyValuePair<string, string?>> client = command.Parse(SessionGrammar.ParseId);
        session.Introduced(client);
        ReplyWriter reply = session.Reply.Untagged().Raw("ID (\"name\" \"MailCluster\""u8);
        if (state is Authenticated && session.Options.Version is { } version)
            reply.Raw(" \"version\" "u8).String(version);
        reply.Close().NewLine();
        return new(Completion.Done);
    }
}
