using System.Text;
using MailCluster.Cluster;

namespace MailCluster.Imap.Responses;

/// <summary>
/// Picks the fields of HEADER.FIELDS and HEADER.FIELDS.NOT out of a header block that arrives in pieces, as ranges: neither the block
/// nor the result is held in memory. The empty line at the end always belongs to the result (RFC 9051 §6.4.5.1).
/// </summary>
internal sealed class HeaderFieldFilter
{
    /// <summary>Longer names match none that a client can have asked for.</summary>
    private const int MaxName = 1000;

    /// <summary>Scattered pieces that are told apart; a block with more is not mail, and the rest of it is left out.</summary>
    private const int MaxRanges = 10_000;

    private readonly HashSet<string> wanted;
    private readonly bool except;
    private readonly List<ByteRange> ranges = [];
    private readonly StringBuilder name = new();
    private long position;
    private long lineStart;
    private bool inName;
    private bool keep;
    private bool empty = true;
    private bool endsInEmptyLine;

    /// <param name="names">Fields, in any case.</param>
    /// <param name="except">All but these are wanted.</param>
    public HeaderFieldFilter(IReadOnlyList<string> names, bool except)
    {
        wanted = new HashSet<string>(names, StringComparer.OrdinalIgnoreCase);
        this.except = keep = except;
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        foreach (var c in bytes)
        {
            if (position == lineStart)
                StartLine(c);
            position++;
            if (c == '\n')
            {
                if (inName)
                    EndName(known: false);
                endsInEmptyLine = empty;
                if (keep || empty)
                    Keep(lineStart, position);
                lineStart = position;
                empty = true;
                continue;
            }
            if (c != '\r')
                empty = false;
            if (!inName)
                continue;
            if (c == ':')
                EndName(known: true);
            else if (name.Length < MaxName)
                name.Append((char)c);
        }
    }

    /// <summary>The ranges in octets of the message, and whether an empty line has to be added to them.</summary>
    public (IReadOnlyList<ByteRange> Ranges, bool NeedsEmptyLine) Finish(long blockOffset)
    {
        if (position > lineStart)
        {
            if (inName)
                EndName(known: false);
            if (keep)
                Keep(lineStart, position);
        }
        return ([.. ranges.Select(range => range with { Offset = range.Offset + blockOffset })], !endsInEmptyLine);
    }

    private void StartLine(byte first)
    {
        // A folded line belongs to the field before it.
        if (first is (byte)' ' or (byte)'\t')
            return;
        inName = true;
        name.Clear();
    }

    /// <param name="known">The line has a colon; one without is a field that no name asks for.</param>
    private void EndName(bool known)
    {
        inName = false;
        keep = (known && wanted.Contains(name.ToString().TrimEnd(' ', '\t'))) != except;
    }

    private void Keep(long start, long end)
    {
        if (ranges.Count > 0 && ranges[^1].End == start)
            ranges[^1] = new ByteRange(ranges[^1].Offset, end - ranges[^1].Offset);
        else if (ranges.Count < MaxRanges)
            ranges.Add(new ByteRange(start, end - start));
    }
}
