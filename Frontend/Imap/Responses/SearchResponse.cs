using MailCluster.Contracts;
using MailCluster.Imap.Search;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>
/// SEARCH and SORT (RFC 3501 §7.2.5, RFC 5256 §4), and ESEARCH for both (RFC 9051 §7.3.4, RFC 5267 §3, RFC 9394 §3.1), with MODSEQ (RFC 7162 §3.1.5, §3.1.10).
/// </summary>
internal static class SearchResponse
{
    public static ValueTask WriteAsync(ImapSession session, ImapUser user, Command command, SearchArguments arguments, SearchFound found)
    {
        UidSet numbers = command.Uid ? found.Uids : found.Numbers;
        if (arguments.Return is null && !user.Rev2)
            return PlainAsync(session, sorted: false, numbers.Uids(), arguments.UsesModSeq ? found.ModSeq : 0);
        Extended(session.Reply, command, arguments, ResultList.Of(numbers), arguments.UsesModSeq ? found.ModSeqOf(arguments.Return ?? SearchReturn.All) : 0);
        return ValueTask.CompletedTask;
    }

    /// <summary>SORT; ESEARCH only where RETURN was given, in rev2, too.</summary>
    public static ValueTask WriteSortedAsync(ImapSession session, Command command, SearchArguments arguments, MessageRef[] sorted, long modSeq)
    {
        uint[] numbers = Array.ConvertAll(sorted, m => command.Uid ? m.Uid : (uint)m.Index + 1);
        modSeq = arguments.UsesModSeq ? modSeq : 0;
        if (arguments.Return is null)
            return PlainAsync(session, sorted: true, numbers, modSeq);
        Extended(session.Reply, command, arguments, ResultList.Of(numbers), modSeq);
        return ValueTask.CompletedTask;
    }

    /// <summary>What one of several mailboxes has (RFC 7377 §2.1); always UIDs.</summary>
    public static void WriteOf(ReplyWriter reply, Command command, SearchArguments arguments, SearchFound found, string mailbox, uint uidValidity) => Extended(
        reply, command, arguments, ResultList.Of(found.Uids), arguments.UsesModSeq ? found.ModSeqOf(arguments.Return ?? SearchReturn.All) : 0, (mailbox, uidValidity));

    private static async ValueTask PlainAsync(ImapSession session, bool sorted, IEnumerable<uint> numbers, long modSeq)
    {
        ReplyWriter reply = session.Reply;
        reply.Untagged().Raw(sorted ? "SORT"u8 : "SEARCH"u8);
        foreach (uint number in numbers)
        {
            reply.Space().Number(number);
            if (session.Connection.Output.ShouldFlush)
                await session.FlushIfFullAsync();
        }
        if (modSeq > 0)
            reply.Raw(" (MODSEQ "u8).Number(modSeq).Close();
        reply.NewLine();
    }

    /// <param name="modSeq">0: none is told.</param>
    /// <param name="of">The mailbox that was searched, where it need not be the selected one.</param>
    private static void Extended(
        ReplyWriter reply, Command command, SearchArguments arguments, ResultList found, long modSeq, (string Mailbox, uint UidValidity)? of = null)
    {
        SearchReturn returns = arguments.Return ?? SearchReturn.All;
        // SAVE alone asks for no answer (RFC 9051 §6.4.4.1).
        if ((returns & SearchReturn.Results) == SearchReturn.Save)
            return;
        reply.Untagged().Raw("ESEARCH (TAG "u8).String(command.Tag);
        if (of is { } mailbox)
            reply.Raw(" MAILBOX "u8).Mailbox(mailbox.Mailbox).Raw(" UIDVALIDITY "u8).Number(mailbox.UidValidity);
        reply.Close();
        if (command.Uid || of is not null)
            reply.Raw(" UID"u8);
        if (!found.IsEmpty && returns.HasFlag(SearchReturn.Min))
            reply.Raw(" MIN "u8).Number(found[0]);
        if (!found.IsEmpty && returns.HasFlag(SearchReturn.Max))
            reply.Raw(" MAX "u8).Number(found[found.Count - 1]);
        if (returns.HasFlag(SearchReturn.Count))
            reply.Raw(" COUNT "u8).Number(found.Count);
        if (!found.IsEmpty && returns.HasFlag(SearchReturn.All))
        {
            reply.Raw(" ALL "u8);
            found.Write(reply, 0, found.Count);
        }
        if (arguments.Partial is { } partial)
            Partial(reply, partial, found);
        if (returns.HasFlag(SearchReturn.Relevancy))
            Relevancy(reply, arguments.Partial?.Of(found.Count).Length ?? found.Count);
        if (!found.IsEmpty && modSeq > 0)
            reply.Raw(" MODSEQ "u8).Number(modSeq);
        reply.NewLine();
    }

    /// <summary>RFC 6203 §4: a score for each result that is told.</summary>
    private static void Relevancy(ReplyWriter reply, int count)
    {
        reply.Raw(" RELEVANCY ("u8);
        for (int i = 0; i < count; i++)
        {
            if (i > 0)
                reply.Space();
            reply.Number(FuzzyKeys.Score);
        }
        reply.Close();
    }

    /// <summary>The range as it was asked for, and what is in it.</summary>
    private static void Partial(ReplyWriter reply, PartialRange range, ResultList found)
    {
        (int start, int length) = range.Of(found.Count);
        reply.Raw(" PARTIAL ("u8).Raw(range.ToString()).Space();
        if (length == 0)
            reply.Nil();
        else
            found.Write(reply, start, length);
        reply.Close();
    }
}
