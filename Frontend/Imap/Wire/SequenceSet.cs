using System.Text;
using MailCluster.Contracts;

namespace MailCluster.Imap.Wire;

/// <summary>One element of a sequence-set as it was written. 0 stands for '*', the largest number in use.</summary>
public readonly record struct SequenceRange(uint Start, uint End)
{
    public const uint Star = 0;
}

/// <summary>
/// sequence-set of RFC 9051 §9: message numbers or UIDs, '*' kept symbolic until the mailbox's largest number is known, or '$', the result of the
/// last SEARCH that saved one (RFC 5182). Immutable.
/// </summary>
public sealed class SequenceSet
{
    /// <summary>Elements that one set may have; a longer one is BAD.</summary>
    public const int MaxRanges = 65_536;

    readonly SequenceRange[] _ranges;

    SequenceSet(SequenceRange[] ranges, bool saved = false)
    {
        _ranges = ranges;
        IsSavedResult = saved;
    }

    /// <summary>'$'. <see cref="Ranges"/> is empty then; whoever uses the set brings the saved result.</summary>
    public static SequenceSet SavedResult { get; } = new([], saved: true);

    public bool IsSavedResult { get; }

    /// <summary>The elements in the order they were written.</summary>
    public ReadOnlySpan<SequenceRange> Ranges => _ranges;

    public bool HasStar => Array.Exists(_ranges, range => range.Start == SequenceRange.Star || range.End == SequenceRange.Star);

    /// <summary>The largest number written, 0 where there is none but '*': a message number above the mailbox's last is BAD.</summary>
    public uint LargestNumber
    {
        get
        {
            uint largest = 0;
            foreach (var range in _ranges)
            {
                largest = Math.Max(largest, Math.Max(range.Start, range.End));
            }
            return largest;
        }
    }

    public static SequenceSet Of(params ReadOnlySpan<SequenceRange> ranges) => new(ranges.ToArray());

    /// <summary>Parses a set that stands alone; throws <see cref="ImapSyntaxException"/>.</summary>
    public static SequenceSet Parse(string text)
    {
        var parser = new ImapParser(Encoding.UTF8.GetBytes(text));
        var set = Parse(ref parser, allowStar: true);
        parser.End();
        return set;
    }

    internal static SequenceSet Parse(ref ImapParser parser, bool allowStar)
    {
        if (allowStar && parser.TrySkip((byte)'$'))
        {
            return SavedResult;
        }
        var first = Range(ref parser, allowStar);
        if (parser.Next != ',')
        {
            return new([first]);
        }
        List<SequenceRange> ranges = [first];
        while (parser.TrySkip((byte)','))
        {
            if (ranges.Count == MaxRanges)
            {
                ImapParser.Fail("A sequence set has too many elements");
            }
            ranges.Add(Range(ref parser, allowStar));
        }
        return new([.. ranges]);
    }

    static SequenceRange Range(ref ImapParser parser, bool allowStar)
    {
        var start = Number(ref parser, allowStar);
        return new(start, parser.TrySkip((byte)':') ? Number(ref parser, allowStar) : start);
    }

    static uint Number(ref ImapParser parser, bool allowStar)
        => allowStar && parser.TrySkip((byte)'*') ? SequenceRange.Star : parser.NonZero("a sequence set");

    /// <summary>
    /// The set as sorted, disjoint, non-adjacent ranges, with '*' = <paramref name="max"/>. Numbers above max stay (they are no message: the caller
    /// intersects); 5:* with max 3 is 3:5, as the RFC has it. With max 0 (an empty mailbox) elements with '*' are nothing.
    /// </summary>
    public SequenceRange[] Resolve(uint max)
    {
        var resolved = new SequenceRange[_ranges.Length];
        var count = 0;
        var sorted = true;
        foreach (var range in _ranges)
        {
            var start = range.Start == SequenceRange.Star ? max : range.Start;
            var end = range.End == SequenceRange.Star ? max : range.End;
            if (start == 0 || end == 0)
            {
                continue;
            }
            var next = start <= end ? new SequenceRange(start, end) : new SequenceRange(end, start);
            sorted &= count == 0 || resolved[count - 1].Start <= next.Start;
            resolved[count++] = next;
        }
        if (!sorted)
        {
            Array.Sort(resolved, 0, count, Comparer<SequenceRange>.Create((a, b) => a.Start.CompareTo(b.Start)));
        }
        return Merge(resolved, count);
    }

    /// <summary>As <see cref="Resolve"/>; for sets of UIDs.</summary>
    public UidSet ToUidSet(uint max) => UidSet.FromRanges(Array.ConvertAll(Resolve(max), range => new UidRange(range.Start, range.End)));

    static SequenceRange[] Merge(SequenceRange[] sorted, int count)
    {
        var merged = 0;
        for (var i = 0; i < count; i++)
        {
            // 64-bit: the last UID may be 2^32 - 1.
            if (merged > 0 && sorted[i].Start <= (ulong)sorted[merged - 1].End + 1)
            {
                sorted[merged - 1] = sorted[merged - 1] with { End = Math.Max(sorted[merged - 1].End, sorted[i].End) };
            }
            else
            {
                sorted[merged++] = sorted[i];
            }
        }
        Array.Resize(ref sorted, merged);
        return sorted;
    }

    /// <summary>Numbers from 1 to <paramref name="max"/> that are in the set, ascending, each once.</summary>
    public IEnumerable<uint> Enumerate(uint max)
    {
        foreach (var range in Resolve(max))
        {
            for (ulong number = range.Start; number <= Math.Min(range.End, max); number++)
            {
                yield return (uint)number;
            }
        }
    }

    public bool Contains(uint number, uint max)
    {
        foreach (var range in _ranges)
        {
            var start = range.Start == SequenceRange.Star ? max : range.Start;
            var end = range.End == SequenceRange.Star ? max : range.End;
            if (start != 0 && end != 0 && number >= Math.Min(start, end) && number <= Math.Max(start, end))
            {
                return true;
            }
        }
        return false;
    }

    public override string ToString()
    {
        if (IsSavedResult)
        {
            return "$";
        }
        var text = new StringBuilder();
        foreach (var range in _ranges)
        {
            text.Append(text.Length > 0 ? "," : "").Append(Text(range.Start));
            if (range.End != range.Start)
            {
                text.Append(':').Append(Text(range.End));
            }
        }
        return text.ToString();

        static string Text(uint number) => number == SequenceRange.Star ? "*" : number.ToString();
    }
}
