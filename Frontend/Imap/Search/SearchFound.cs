using System.Collections;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Search;

/// <summary>The messages that a SEARCH found.</summary>
/// <param name="Uids">Their UIDs.</param>
/// <param name="Numbers">Their message numbers.</param>
/// <param name="ModSeq">The highest of their modseqs; 0 where nothing was found.</param>
/// <param name="FirstModSeq">That of the first message.</param>
/// <param name="LastModSeq">That of the last message.</param>
internal sealed record SearchFound(UidSet Uids, UidSet Numbers, long ModSeq, long FirstModSeq, long LastModSeq)
{
    public bool IsEmpty => Uids.IsEmpty;

    /// <summary>A limit has left messages out.</summary>
    public bool IsPart { get; init; }

    /// <param name="found">A bit for each message of the version.</param>
    public static SearchFound Of(MailboxSnapshot messages, BitArray found)
    {
        var uids = new UidSet.Builder();
        var numbers = new UidSet.Builder();
        long highest = 0, first = 0, last = 0;
        foreach (MessageRef message in messages.Messages())
        {
            if (!found[message.Index])
                continue;
            uids.Add(message.Uid);
            numbers.Add((uint)message.Index + 1);
            last = message.ModSeq;
            highest = Math.Max(highest, last);
            if (first == 0)
                first = last;
        }
        return new SearchFound(uids.ToSet(), numbers.ToSet(), highest, first, last);
    }

    /// <summary>
    /// What SAVE keeps (RFC 9051 §6.4.4.1, RFC 9394 §3.2): all, unless only MIN, MAX or PARTIAL are asked for: then what they name.
    /// </summary>
    /// <param name="uids">The UIDs in the order of the answer.</param>
    public static UidSet ToSave(SearchArguments arguments, ResultList uids, UidSet all)
    {
        SearchReturn returns = arguments.Return ?? SearchReturn.All;
        if (uids.IsEmpty || !IsOfParts(returns))
            return all;
        var kept = new List<uint>();
        if (returns.HasFlag(SearchReturn.Min))
            kept.Add(uids[0]);
        if (returns.HasFlag(SearchReturn.Max))
            kept.Add(uids[uids.Count - 1]);
        if (arguments.Partial is { } partial)
        {
            (int start, int length) = partial.Of(uids.Count);
            for (int place = start; place < start + length; place++)
                kept.Add(uids[place]);
        }
        return UidSet.FromUids(kept);
    }

    /// <summary>The modseq that belongs to an ESEARCH response (RFC 4731 §3.2).</summary>
    public long ModSeqOf(SearchReturn returns)
    {
        if (!IsOfParts(returns) || returns.HasFlag(SearchReturn.Partial))
            return ModSeq;
        return Math.Max(
            returns.HasFlag(SearchReturn.Min) ? FirstModSeq : 0,
            returns.HasFlag(SearchReturn.Max) ? LastModSeq : 0);
    }

    private static bool IsOfParts(SearchReturn returns) =>
        (returns & (SearchReturn.Min | SearchReturn.Max | SearchReturn.Partial)) != 0 && (returns & (SearchReturn.All | SearchReturn.Count)) == 0;
}
