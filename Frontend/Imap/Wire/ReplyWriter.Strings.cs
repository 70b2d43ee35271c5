using System.Buffers;
using System.Text;
using System.Text.Unicode;
using MailCluster.Contracts.Content;

namespace MailCluster.Imap.Wire;

public sealed partial class ReplyWriter
{
    /// <summary>What shows in place of a NUL, which no string of the protocol can hold.</summary>
    public const byte NulSubstitute = 0x80;

    static readonly SearchValues<byte> PlainQuoted = SearchValues.Create([.. Enumerable.Range(1, 0x7f).Select(static i => (byte)i).Except("\r\n\"\\"u8.ToArray())]);
    static readonly SearchValues<byte> NeverQuoted = SearchValues.Create("\0\r\n"u8);
    static readonly SearchValues<byte> Escaped = SearchValues.Create("\"\\"u8);

    static readonly SearchValues<char> AStringChars = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&'+,-./:;<=>?@[]^_`|}~");

    /// <summary>
    /// string: quoted where the session may (no CR, LF, NUL; 8-bit only as valid UTF-8 in UTF-8 sessions), a literal otherwise. A NUL in a
    /// literal becomes <see cref="NulSubstitute"/>; the length stays.
    /// </summary>
    public ReplyWriter String(ReadOnlySpan<byte> value)
    {
        // Nearly all that is ever written: one look and one copy, which makes ENVELOPE twice as fast.
        if (!value.ContainsAnyExcept(PlainQuoted))
        {
            var quoted = output.GetSpan(value.Length + 2);
            quoted[0] = (byte)'"';
            value.CopyTo(quoted[1..]);
            quoted[value.Length + 1] = (byte)'"';
            output.Advance(value.Length + 2);
            return this;
        }
        if (value.IndexOfAny(NeverQuoted) < 0 && (Ascii.IsValid(value) || (Charset == WireCharset.Utf8 && Utf8.IsValid(value))))
        {
            return Quoted(value);
        }
        LiteralHeader(value.Length);
        var target = output.GetSpan(value.Length);
        value.CopyTo(target);
        target[..value.Length].Replace((byte)0, NulSubstitute);
        output.Advance(value.Length);
        return this;
    }

    /// <summary>string of a text, as UTF-8.</summary>
    public ReplyWriter String(string value)
    {
        if (value.Length <= 256)
        {
            Span<byte> small = stackalloc byte[256 * 3];
            return String(small[..Encoding.UTF8.GetBytes(value, small)]);
        }
        return String(Encoding.UTF8.GetBytes(value));
    }

    /// <summary>nstring: NIL for null.</summary>
    public ReplyWriter NString(byte[]? value) => value is null ? Nil() : String(value);

    /// <summary>nstring, or a literal8 where NUL is among the octets; NIL for null.</summary>
    public ReplyWriter Octets(byte[]? value) => value.AsSpan().Contains((byte)0) ? Literal8Header(value!.Length).Raw(value) : NString(value);

    /// <summary>nstring: NIL for an absent text.</summary>
    public ReplyWriter NString(RawText value) => value.IsAbsent ? Nil() : String(value.Span);

    /// <summary>nstring: NIL for null.</summary>
    public ReplyWriter NString(string? value) => value is null ? Nil() : String(value);

    /// <summary>astring: without quotes where possible.</summary>
    public ReplyWriter AString(string value)
        => value.Length > 0 && !value.AsSpan().ContainsAnyExcept(AStringChars) && !value.Equals("NIL", StringComparison.OrdinalIgnoreCase)
            ? Raw(value)
            : String(value);

    /// <summary>mailbox: modified UTF-7 in rev1, UTF-8 otherwise; always quoted or a literal, as old clients expect of LIST.</summary>
    public ReplyWriter Mailbox(string name)
    {
        if (Charset == WireCharset.Utf8 || !NeedsUtf7(name))
        {
            return String(name);
        }
        var encoded = new ArrayBufferWriter<byte>(name.Length * 4);
        ModifiedUtf7.Encode(name, encoded);
        return Quoted(encoded.WrittenSpan);
    }

    /// <summary>The announcement of a literal; exactly <paramref name="size"/> octets without NUL must follow.</summary>
    public ReplyWriter LiteralHeader(long size) => Byte((byte)'{').Number(size).Raw("}\r\n"u8);

    /// <summary>The announcement of a literal8 (RFC 3516), which may hold NUL.</summary>
    public ReplyWriter Literal8Header(long size) => Raw("~{"u8).Number(size).Raw("}\r\n"u8);

    static bool NeedsUtf7(string name) => name.AsSpan().IndexOfAnyExceptInRange((char)0x20, (char)0x7e) >= 0 || name.Contains('&');

    ReplyWriter Quoted(ReadOnlySpan<byte> value)
    {
        Byte((byte)'"');
        while (true)
        {
            var plain = value.IndexOfAny(Escaped);
            if (plain < 0)
            {
                return Raw(value).Byte((byte)'"');
            }
            Raw(value[..plain]).Byte((byte)'\\').Byte(value[plain]);
            value = value[(plain + 1)..];
        }
    }
}
