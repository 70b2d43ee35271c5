using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Search;

/// <summary>What SEARCH or SORT has found, as message numbers or UIDs in the order of the answer.</summary>
internal abstract class ResultList
{
    public abstract int Count { get; }

    public bool IsEmpty => Count == 0;

    /// <summary>By place, from 0.</summary>
    public abstract uint this[int place] { get; }

    /// <summary>The sequence-set of some places, in their order.</summary>
    public abstract void Write(ReplyWriter reply, int start, int length);

    public static ResultList Of(UidSet ascending) => new Ascending(ascending);

    public static ResultList Of(uint[] ordered) => new Ordered(ordered);

    private sealed class Ascending(UidSet numbers) : ResultList
    {
        public override int Count { get; } = (int)numbers.Cardinality;

        public override uint this[int place]
        {
            get
            {
                foreach (UidRange range in numbers)
                {
                    if (place < range.Count)
                        return range.First + (uint)place;
                    place -= (int)range.Count;
                }
                throw new ArgumentOutOfRangeException(nameof(place));
            }
        }

        public override void Write(ReplyWriter reply, int start, int length) => reply.Uids(
            length == Count ? numbers : length == 0 ? UidSet.Empty : numbers.Intersect(UidSet.FromRanges([new UidRange(this[start], this[start + length - 1])])));
    }

    /// <summary>In an order of its own (RFC 5267 §3): a range stands for what follows one another, never backwards.</summary>
    private sealed class Ordered(uint[] numbers) : ResultList
    {
        public override int Count => numbers.Length;

        public override uint this[int place] => numbers[place];

        public override void Write(ReplyWriter reply, int start, int length)
        {
            int end = start + length;
            for (int first = start; first < end;)
            {
                int last = first;
                while (last + 1 < end && numbers[last + 1] == numbers[last] + 1)
                    last++;
                if (first > start)
                    reply.Byte((byte)',');
                reply.Number(numbers[first]);
                if (last > first)
                    reply.Byte((byte)':').Number(numbers[last]);
                first = last + 1;
            }
        }
    }
}
