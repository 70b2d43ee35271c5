using MailCluster.Contracts;
using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>
/// MESSAGELIMIT (RFC 9738), where an option sets one: what a command names beyond so many messages it leaves alone, from the lowest UID on, and says so. What would be done wholly or not
/// at all (COPY, APPEND), and what orders messages (SORT, THREAD), is refused.
/// </summary>
internal static class MessageLimit
{
    /// <summary>The messages that a command works on.</summary>
    /// <param name="lowest">The lowest UID of them, where there were more; else null.</param>
    public static UidSet Of(ImapSession session, UidSet named, out uint? lowest)
    {
        lowest = null;
        if (session.Options.MessageLimit is not { } limit || named.Cardinality <= limit)
            return named;
        long left = named.Cardinality - limit;
        uint first = named.Uids().Skip((int)left).First();
        lowest = first;
        return named.Intersect(UidSet.FromRanges([new UidRange(first, uint.MaxValue)]));
    }

    /// <summary>The refusal of a command that would take too many messages; null when it does not.</summary>
    public static Completion? Refuse(ImapSession session, long messages) => session.Options.MessageLimit is { } limit && messages > limit
        ? Completion.No($"MESSAGELIMIT {limit}", $"At most {limit} messages in one command")
        : default(Completion?);

    /// <summary>Says with a command's end that it has left messages alone: by its code, or apart where that is taken (§3.1).</summary>
    public static Completion Told(ImapSession session, Completion completion, uint? lowest)
    {
        if (lowest is not { } uid || completion.Status is not (CompletionStatus.Ok or CompletionStatus.No))
            return completion;
        string code = $"MESSAGELIMIT {session.Options.MessageLimit} {uid}";
        if (completion is { Status: CompletionStatus.Ok, Code: null, TellsModSeq: false })
            return Completion.Ok(code, "Done with the messages from this UID on");
        session.Reply.Status(null, "NO"u8, code, "Only the messages from this UID on were looked at");
        return completion;
    }
}
