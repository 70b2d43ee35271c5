using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>
/// UIDBATCHES (RFC 10022): ranges of UIDs with so many messages each, from the newest to the oldest, so that a client can ask for a part of a mailbox without knowing what is in it. The ranges
/// lie side by side, and the last one reaches down to UID 1 (§3.1.4). Asking again costs a look at two messages a batch, so that it is never refused for coming too soon (§3.1.1).
/// </summary>
internal static class UidBatches
{
    /// <summary>Of smaller ones message numbers could be made again, which UIDONLY does without (§3.1.3.2).</summary>
    private const uint LeastSize = 500;

    /// <summary>The most messages that one answer partitions; §3.1.7 wants 100,000 at least.</summary>
    private const long MostMessages = 1_000_000;

    public static ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        UidBatchesArguments arguments = command.Parse(UidBatchesGrammar.Parse);
        if (arguments.Batches is { } range && range.Last < range.First)
            return new(new Completion(CompletionStatus.Bad, "CLIENTBUG", "The last batch comes before the first"));
        if (arguments.Size < LeastSize)
            return new(Completion.No("TOOFEW", $"A batch has at least {LeastSize} messages"));
        MailboxSnapshot messages = state.Mailbox.Messages.Messages;
        long asked = arguments.Batches is { } batches ? (batches.Last - (long)batches.First + 1) * arguments.Size : messages.Count;
        if (asked > MostMessages)
            return new(Completion.No("TOOMANY", $"At most {MostMessages} messages at once"));

        ReplyWriter reply = session.Reply.Untagged().Raw("UIDBATCHES (TAG "u8).String(command.Tag).Close();
        long first = ((arguments.Batches?.First ?? 1L) - 1) * arguments.Size;
        long end = arguments.Batches is { } last ? (long)last.Last * arguments.Size : long.MaxValue;
        bool any = false;
        // Places are counted from the newest message.
        for (long place = first; place < messages.Count && place < end; place += arguments.Size)
        {
            long next = place + arguments.Size;
            uint high = place == 0 ? messages[messages.Count - 1].Uid : messages[(int)(messages.Count - place)].Uid - 1;
            uint low = next >= messages.Count ? 1 : messages[(int)(messages.Count - next)].Uid;
            reply.Byte(any ? (byte)',' : (byte)' ').Number(high).Byte((byte)':').Number(low);
            any = true;
        }
        reply.NewLine();
        return new(Completion.Done);
    }
}
