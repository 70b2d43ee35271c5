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

    /// <summary>What SAVE keeps (RFC 9051 §6.4.4.1): with MIN or MAX alone only those messages, otherwise all.</summary>
    public UidSet ToSave(SearchReturn returns)
    {
        if (IsEmpty || !OnlyEnds(returns))
            return Uids;
        UidSet first = returns.HasFlag(SearchReturn.Min) ? UidSet.Single(Uids[0].First) : UidSet.Empty;
        return returns.HasFlag(SearchReturn.Max) ? first.Union(UidSet.Single(Uids[^1].Last)) : first;
    }

    /// <summary>The modseq that belongs to an ESEARCH response (RFC 4731 §3.2).</summary>
    public long ModSeqOf(SearchReturn returns)
    {
        if (!OnlyEnds(returns))
            return ModSeq;
        return Math.Max(
            returns.HasFlag(SearchReturn.Min) ? FirstModSeq : 0,
            returns.HasFlag(SearchReturn.Max) ? LastModSeq : 0);
    }

    private static bool OnlyEnds(SearchReturn returns) =>
        (returns & (SearchReturn.Min | SearchReturn.Max)) != 0 && (returns & (SearchReturn.All | SearchReturn.Count)) == 0;
}
