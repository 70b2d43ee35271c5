using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace MailCluster.Imap.Wire;

public ref partial struct ImapParser
{
    static readonly SearchValues<byte> QuotedSpecials = SearchValues.Create("\"\\\r\n\0"u8);

    /// <summary>
    /// astring. In rev1 a quoted string with 8-bit bytes is refused unless <paramref name="allow8Bit"/>; in UTF-8 sessions quoted strings must be
    /// valid UTF-8 unless <paramref name="allow8Bit"/>. Literals may hold any byte but NUL.
    /// </summary>
    public ReadOnlySpan<byte> AString(string expected = "a string", bool allow8Bit = false)
    {
        if (IsStringStart())
        {
            return String(expected, allow8Bit);
        }
        var atom = Run(AStringChars);
        if (atom.IsEmpty)
        {
            Fail("Expected " + expected);
        }
        return atom;
    }

    /// <summary>string = quoted / literal; also literal8 where <paramref name="allowBinary"/>.</summary>
    public ReadOnlySpan<byte> String(string expected = "a string", bool allow8Bit = false, bool allowBinary = false)
    {
        if (Next == '"')
        {
            return Quoted(allow8Bit);
        }
        if (Next == '{' || (allowBinary && Next == '~'))
        {
            return Literal();
        }
        Fail("Expected " + expected);
        return default;
    }

    /// <summary>nstring: false for NIL.</summary>
    public bool NString(out ReadOnlySpan<byte> value)
    {
        if (TryWord("NIL"u8))
        {
            value = default;
            return false;
        }
        value = String("a string or NIL");
        return true;
    }

    /// <summary>mailbox: INBOX in any case becomes INBOX; the name is decoded as the session's charset says.</summary>
    public MailboxArgument Mailbox() => MailboxArgument.Decode(AString("a mailbox name", allow8Bit: true), _charset);

    /// <summary>list-mailbox: as <see cref="Mailbox"/>, and the wildcards % and * may stand outside quotes.</summary>
    public MailboxArgument ListMailbox()
    {
        if (IsStringStart())
        {
            return MailboxArgument.Decode(String(allow8Bit: true), _charset);
        }
        var pattern = Run(ListChars);
        if (pattern.IsEmpty)
        {
            Fail("Expected a mailbox name or pattern");
        }
        return MailboxArgument.Decode(pattern, _charset);
    }

    /// <summary>The octets of list-mailbox where what it names is no mailbox.</summary>
    public ReadOnlySpan<byte> ListString(string expected)
    {
        if (IsStringStart())
        {
            return String(expected);
        }
        var pattern = Run(ListChars);
        if (pattern.IsEmpty)
        {
            Fail("Expected " + expected);
        }
        return pattern;
    }

    /// <summary>
    /// True where the next token is a literal whose bytes are not in this buffer: its announcement is the end of it. That is where the
    /// <see cref="CommandReader"/> stopped for its caller to choose.
    /// </summary>
    public readonly bool AtPendingLiteral
        => Next is (byte)'{' or (byte)'~' && LiteralAnnouncement.TryParse(TrimLineEnd(Rest), out var announcement, out var start) && start == 0
            && announcement.Size > 0;

    readonly bool IsStringStart() => Next is (byte)'"' or (byte)'{';

    static ReadOnlySpan<byte> TrimLineEnd(ReadOnlySpan<byte> bytes)
    {
        if (bytes.EndsWith("\n"u8))
        {
            bytes = bytes[..^1];
        }
        return bytes.EndsWith("\r"u8) ? bytes[..^1] : bytes;
    }

    ReadOnlySpan<byte> Quoted(bool allow8Bit)
    {
        _at++;
        var start = _at;
        var escaped = false;
        while (true)
        {
            var length = Rest.IndexOfAny(QuotedSpecials);
            if (length < 0)
            {
                Fail("A quoted string has no end");
            }
            _at += length;
            if (_input[_at] == '"')
            {
                break;
            }
            if (_input[_at] != '\\')
            {
                Fail("A quoted string holds CR, LF or NUL");
            }
            // Only \" and \\ are in the grammar; some clients escape more, and mean the character itself.
            escaped = true;
            if (_at + 1 >= _input.Length || _input[_at + 1] is 0 or (byte)'\r' or (byte)'\n')
            {
                Fail("A quoted string has no end");
            }
            _at += 2;
        }
        var content = _input[start.._at];
        _at++;
        if (!allow8Bit && !Ascii.IsValid(content) && (_charset == WireCharset.Rev1 || !Utf8.IsValid(content)))
        {
            Fail(_charset == WireCharset.Rev1 ? "A quoted string holds 8-bit bytes; send a literal" : "A quoted string is not UTF-8");
        }
        return escaped ? Unescape(content) : content;
    }

    static ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> content)
    {
        var plain = new byte[content.Length];
        var length = 0;
        for (var i = 0; i < content.Length; i++)
        {
            if (content[i] == '\\')
            {
                i++;
            }
            plain[length++] = content[i];
        }
        return plain.AsSpan(0, length);
    }

    ReadOnlySpan<byte> Literal()
    {
        var lineEnd = Rest.IndexOf((byte)'\n');
        var line = lineEnd < 0 ? default : TrimLineEnd(Rest[..lineEnd]);
        if (!LiteralAnnouncement.TryParse(line, out var announcement, out var start) || start != 0)
        {
            Fail("Expected a literal");
        }
        _at += lineEnd + 1;
        if (announcement.Size > _input.Length - _at)
        {
            Fail("A literal is shorter than announced");
        }
        var content = _input.Slice(_at, (int)announcement.Size);
        if (!announcement.Binary && content.Contains((byte)0))
        {
            Fail("A literal holds NUL");
        }
        _at += content.Length;
        return content;
    }
}
