using MailCluster.Contracts;
using MailCluster.Imap.Search;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>SEARCH (RFC 3501 §7.2.5) and ESEARCH (RFC 9051 §7.3.4), with MODSEQ (RFC 7162 §3.1.5, §3.1.10).</summary>
internal static class SearchResponse
{
    public static ValueTask WriteAsync(ImapSession session, ImapUser user, Command command, SearchArguments arguments, SearchFound found)
    {
        if (arguments.Return is null && !user.Rev2)
            return PlainAsync(session, command.Uid ? found.Uids : found.Numbers, arguments.UsesModSeq ? found.ModSeq : 0);
        SearchReturn returns = arguments.Return ?? SearchReturn.All;
        // SAVE alone asks for no answer (RFC 9051 §6.4.4.1).
        if (returns != SearchReturn.Save)
            Extended(session.Reply, command, returns, found, arguments.UsesModSeq);
        return ValueTask.CompletedTask;
    }

    private static async ValueTask PlainAsync(ImapSession session, UidSet numbers, long modSeq)
    {
        ReplyWriter reply = session.Reply;
        reply.Untagged().Raw("SEARCH"u8);
        foreach (uint number in numbers.Uids())
        {
            reply.Space().Number(number);
            if (session.Connection.Output.ShouldFlush)
                await session.FlushIfFullAsync();
        }
        if (modSeq > 0)
            reply.Raw(" (MODSEQ "u8).Number(modSeq).Close();
        reply.NewLine();
    }

    private static void Extended(ReplyWriter reply, Command command, SearchReturn returns, SearchFound found, bool withModSeq)
    {
        UidSet numbers = command.Uid ? found.Uids : found.Numbers;
        reply.Untagged().Raw("ESEARCH (TAG "u8).String(command.Tag).Close();
        if (command.Uid)
            reply.Raw(" UID"u8);
        if (!numbers.IsEmpty && returns.HasFlag(SearchReturn.Min))
            reply.Raw(" MIN "u8).Number(numbers[0].First);
        if (!numbers.IsEmpty && returns.HasFlag(SearchReturn.Max))
            reply.Raw(" MAX "u8).Number(numbers[^1].Last);
        if (returns.HasFlag(SearchReturn.Count))
            reply.Raw(" COUNT "u8).Number(numbers.Cardinality);
        if (!numbers.IsEmpty && returns.HasFlag(SearchReturn.All))
            reply.Raw(" ALL "u8).Uids(numbers);
        if (!numbers.IsEmpty && withModSeq)
            reply.Raw(" MODSEQ "u8).Number(found.ModSeqOf(returns));
        reply.NewLine();
    }
}
