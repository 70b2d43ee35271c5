using System.Buffers;
using System.Buffers.Text;
using System.Text;
using MailCluster.Contracts;
using MailCluster.Imap.Languages;

namespace MailCluster.Imap.Wire;

/// <summary>
/// Writes responses (RFC 9051 §7 and §9) into a buffer; the order of calls is the order on the wire, nothing is checked beyond single tokens.
/// Methods return the writer for chains. No allocation per item.
/// </summary>
public sealed partial class ReplyWriter(IBufferWriter<byte> output, WireCharset charset = WireCharset.Rev1)
{
    /// <summary>Changes with ENABLE, between two responses.</summary>
    public WireCharset Charset { get; set; } = charset;

    /// <summary>What texts for people are in (RFC 5255 §3); in any but the default they are UTF-8, whatever <see cref="Charset"/> is.</summary>
    public Language Language { get; set; } = Language.Default;

    /// <summary>ASCII bytes as they are.</summary>
    public ReplyWriter Raw(ReadOnlySpan<byte> ascii)
    {
        output.Write(ascii);
        return this;
    }

    /// <summary>A string of ASCII characters as it is: an atom, a keyword, a base64 text.</summary>
    public ReplyWriter Raw(string ascii)
    {
        var span = output.GetSpan(ascii.Length);
        output.Advance(Encoding.Latin1.GetBytes(ascii, span));
        return this;
    }

    /// <summary>Room for tokens of at most so many octets in all, which become part of the output with <see cref="Add"/>; nothing else may be written in between.</summary>
    public ReplyTokens Tokens(int most) => new(output.GetSpan(most));

    public void Add(ReplyTokens tokens) => output.Advance(tokens.Length);

    public ReplyWriter Byte(byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
        return this;
    }

    public ReplyWriter Space() => Byte((byte)' ');

    public ReplyWriter Open() => Byte((byte)'(');

    public ReplyWriter Close() => Byte((byte)')');

    public ReplyWriter Nil() => Raw("NIL"u8);

    public ReplyWriter NewLine() => Raw("\r\n"u8);

    public ReplyWriter Number(long value)
    {
        Utf8Formatter.TryFormat(value, output.GetSpan(20), out var written);
        output.Advance(written);
        return this;
    }

    /// <summary>The ranges of a set: 1:3,5. Nothing for an empty one.</summary>
    public ReplyWriter Ranges(ReadOnlySpan<SequenceRange> ranges)
    {
        for (var i = 0; i < ranges.Length; i++)
        {
            if (i > 0)
            {
                Byte((byte)',');
            }
            SequenceNumber(ranges[i].Start);
            if (ranges[i].End != ranges[i].Start)
            {
                Byte((byte)':');
                SequenceNumber(ranges[i].End);
            }
        }
        return this;
    }

    /// <summary>The wire form of a set of UIDs: 1:3,5. Nothing for an empty one.</summary>
    public ReplyWriter Uids(UidSet uids)
    {
        for (var i = 0; i < uids.Count; i++)
        {
            if (i > 0)
            {
                Byte((byte)',');
            }
            Number(uids[i].First);
            if (uids[i].Last != uids[i].First)
            {
                Byte((byte)':').Number(uids[i].Last);
            }
        }
        return this;
    }

    /// <summary>The system flags, \Recent of a rev1 session, then the keywords, in parentheses.</summary>
    public ReplyWriter Flags(SystemFlags system, IReadOnlyList<string> keywords, bool recent = false)
    {
        Open();
        var first = true;
        if (system != SystemFlags.None)
        {
            Flag(system, SystemFlags.Answered, "\\Answered"u8, ref first);
            Flag(system, SystemFlags.Flagged, "\\Flagged"u8, ref first);
            Flag(system, SystemFlags.Deleted, "\\Deleted"u8, ref first);
            Flag(system, SystemFlags.Seen, "\\Seen"u8, ref first);
            Flag(system, SystemFlags.Draft, "\\Draft"u8, ref first);
        }
        if (recent)
        {
            Separate(ref first);
            Raw("\\Recent"u8);
        }
        for (var i = 0; i < keywords.Count; i++)
        {
            Separate(ref first);
            Raw(keywords[i]);
        }
        return Close();
    }

    /// <summary>date-time in quotes, always 28 octets: " 7-Feb-1994 21:52:25 -0800".</summary>
    public ReplyWriter InternalDate(DateTimeOffset date)
    {
        var span = output.GetSpan(28);
        span[0] = (byte)'"';
        span[1] = date.Day < 10 ? (byte)' ' : (byte)('0' + (date.Day / 10));
        span[2] = (byte)('0' + (date.Day % 10));
        span[3] = (byte)'-';
        WireDates.Months.Slice((date.Month - 1) * 3, 3).CopyTo(span[4..]);
        span[7] = (byte)'-';
        Two(span[8..], date.Year / 100);
        Two(span[10..], date.Year % 100);
        span[12] = (byte)' ';
        Two(span[13..], date.Hour);
        span[15] = (byte)':';
        Two(span[16..], date.Minute);
        span[18] = (byte)':';
        Two(span[19..], date.Second);
        span[21] = (byte)' ';
        var zone = (int)date.Offset.TotalMinutes;
        span[22] = zone < 0 ? (byte)'-' : (byte)'+';
        zone = Math.Abs(zone);
        Two(span[23..], zone / 60);
        Two(span[25..], zone % 60);
        span[27] = (byte)'"';
        output.Advance(28);
        return this;
    }

    static void Two(Span<byte> span, int value)
    {
        span[0] = (byte)('0' + (value / 10));
        span[1] = (byte)('0' + (value % 10));
    }

    void SequenceNumber(uint number)
    {
        if (number == SequenceRange.Star)
        {
            Byte((byte)'*');
            return;
        }
        Number(number);
    }

    void Flag(SystemFlags flags, SystemFlags flag, ReadOnlySpan<byte> name, ref bool first)
    {
        if ((flags & flag) != 0)
        {
            Separate(ref first);
            Raw(name);
        }
    }

    void Separate(ref bool first)
    {
        if (!first)
        {
            Space();
        }
        first = false;
    }
}
