using System.Numerics;
using MailCluster.Contracts;

namespace MailCluster.Imap.Search;

/// <summary>
/// Which trigrams a text has: a bit for each hash of three characters of its map by <see cref="UnicodeCasemap"/>, whatever their case. A text that lacks one of a
/// string's bits does not have the string.
/// </summary>
internal sealed class TextSignature() : CollatedSink(Collation.Unicode)
{
    /// <summary>Bits of one string that are asked for: what more would say of a longer one costs more to read.</summary>
    private const int MaxPositions = 12;

    /// <summary>Bits of one text at which it is full: what has more is not worth telling from what has all.</summary>
    public const int MaxCount = SearchGroup.Positions / 4;

    private readonly ulong[] _bits = new ulong[SearchGroup.Positions / 64];

    // The last three characters, folded, 16 bits each.
    private ulong _last;
    private int _seen;
    private int _count;

    /// <summary>Every string may be in the text: it is that long.</summary>
    public bool IsFull => _count >= MaxCount;

    /// <summary>
    /// The positions that tell whether a text may have a string; null where there are none: for fewer than three characters, and for what spans lines, since
    /// that may span what is indexed and what is not.
    /// </summary>
    public static int[]? PositionsOf(string value)
    {
        value = UnicodeCasemap.Map(value);
        if (value.Length < 3 || value.AsSpan().ContainsAny('\r', '\n'))
            return null;
        var signature = new TextSignature();
        // Not mapped once more: a map may have a map of its own.
        signature.AddCollated(value);
        ushort[] all = signature.Positions();
        int count = Math.Min(all.Length, MaxPositions);
        return [.. Enumerable.Range(0, count).Select(i => (int)all[i * all.Length / count])];
    }

    /// <summary>Makes it the signature of no text.</summary>
    public void Clear()
    {
        Restart();
        Array.Clear(_bits);
        (_last, _seen, _count) = (0, 0, 0);
    }

    /// <summary>Adds a piece of the mapped text, which goes on where the last one ended.</summary>
    protected override bool AddCollated(ReadOnlySpan<char> piece)
    {
        Span<char> folded = stackalloc char[512];
        while (!piece.IsEmpty)
        {
            int length = Math.Min(piece.Length, folded.Length);
            Fold(piece[..length], folded);
            foreach (char c in folded[..length])
            {
                _last = ((_last << 16) | c) & 0xFFFF_FFFF_FFFF;
                if (++_seen < 3)
                    continue;
                _seen = 3;
                int position = (int)((_last * 0x9E37_79B9_7F4A_7C15) >> 48);
                ref ulong word = ref _bits[position >> 6];
                _count += (int)(~word >> position & 1);
                word |= 1UL << position;
            }
            piece = piece[length..];
        }
        return !IsFull;
    }

    /// <summary>The positions whose bits are set, in order.</summary>
    public ushort[] Positions()
    {
        var positions = new ushort[_count];
        int count = 0;
        for (int i = 0; i < _bits.Length; i++)
        {
            for (ulong word = _bits[i]; word != 0; word &= word - 1)
                positions[count++] = (ushort)((i * 64) + BitOperations.TrailingZeroCount(word));
        }
        return positions;
    }

    /// <summary>
    /// Characters that a search without regard to case takes for the same become the same one. Halves of characters beyond U+FFFF all become one, since a piece
    /// may end between them.
    /// </summary>
    internal static void Fold(ReadOnlySpan<char> text, Span<char> folded)
    {
        int length = text.ToUpperInvariant(folded);
        for (Span<char> rest = folded[..length]; rest.IndexOfAnyInRange('\uD800', '\uDFFF') is >= 0 and int at; rest = rest[(at + 1)..])
            rest[at] = '\uD800';
    }
}
