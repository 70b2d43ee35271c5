using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace MailCluster.Imap.Wire;

/// <summary>
/// Reads the tokens of one command (RFC 9051 §9, RFC 3501 §9) from the contiguous bytes that <see cref="CommandReader"/> gathered: literals stand
/// inline behind their announcement. Every method consumes what it returns, or throws <see cref="ImapSyntaxException"/>. Synchronous and on the
/// stack: a command costs no allocation beyond its values.
/// </summary>
public ref partial struct ImapParser(ReadOnlySpan<byte> input, WireCharset charset = WireCharset.Rev1)
{
    /// <summary>Longest tag that is answered; a longer one gets an untagged BAD.</summary>
    public const int MaxTagLength = 255;

    const string AtomSymbols = "!#$&'+,-./:;<=>?@[^_`|}~";
    const string LettersAndDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

    static readonly SearchValues<byte> AtomChars = SearchValues.Create(Encoding.ASCII.GetBytes(LettersAndDigits + AtomSymbols));
    static readonly SearchValues<byte> AStringChars = SearchValues.Create(Encoding.ASCII.GetBytes(LettersAndDigits + AtomSymbols + "]"));
    static readonly SearchValues<byte> ListChars = SearchValues.Create(Encoding.ASCII.GetBytes(LettersAndDigits + AtomSymbols + "]%*"));
    static readonly SearchValues<byte> TagChars = SearchValues.Create(Encoding.ASCII.GetBytes(LettersAndDigits + AtomSymbols.Replace("+", "") + "]"));

    // Without '[' and '<', which are atom characters but end the name of a FETCH item.
    static readonly SearchValues<byte> WordChars = SearchValues.Create(Encoding.ASCII.GetBytes(LettersAndDigits + ".-"));

    readonly ReadOnlySpan<byte> _input = input;
    readonly WireCharset _charset = charset;
    int _at = 0;

    public readonly WireCharset Charset => _charset;

    /// <summary>Words of protocols before IMAP4rev1 are known.</summary>
    public bool Dialects { get; init; }

    public readonly bool AtEnd => _at >= _input.Length;

    public readonly int Position => _at;

    /// <summary>What was not consumed yet.</summary>
    public readonly ReadOnlySpan<byte> Rest => _input[_at..];

    /// <summary>The next byte, or 0 at the end (a NUL is nowhere allowed, so both fail alike).</summary>
    public readonly byte Next => AtEnd ? (byte)0 : _input[_at];

    [DoesNotReturn]
    public static void Fail(string message) => throw new ImapSyntaxException(message);

    /// <summary>The tag of a command that could not be read as a whole, if it has one.</summary>
    public static string? TagOf(ReadOnlySpan<byte> command)
    {
        var length = command.IndexOfAnyExcept(TagChars);
        if (length < 0)
        {
            length = command.Length;
        }
        var ended = length == command.Length || command[length] is (byte)' ' or (byte)'\r' or (byte)'\n';
        return length is > 0 and <= MaxTagLength && ended ? Encoding.ASCII.GetString(command[..length]) : null;
    }

    public string Tag()
    {
        var tag = Run(TagChars);
        if (tag.IsEmpty || tag.Length > MaxTagLength)
        {
            Fail("Expected a tag");
        }
        return Encoding.ASCII.GetString(tag);
    }

    /// <summary>Exactly one space.</summary>
    public void Space() => Skip((byte)' ', "a space");

    /// <summary>The end of the command; spaces in front of it are forgiven.</summary>
    public void End()
    {
        while (TrySkip((byte)' '))
        {
        }
        if (!AtEnd)
        {
            Fail("Expected the end of the command");
        }
    }

    /// <summary>True, and nothing consumed, where only spaces are left.</summary>
    public readonly bool OnlySpacesLeft => Rest.IndexOfAnyExcept((byte)' ') < 0;

    public bool TrySkip(byte value)
    {
        if (AtEnd || _input[_at] != value)
        {
            return false;
        }
        _at++;
        return true;
    }

    /// <summary>Skips <paramref name="octets"/> where they come next, all of them.</summary>
    public bool TrySkip(ReadOnlySpan<byte> octets)
    {
        if (!Rest.StartsWith(octets))
        {
            return false;
        }
        _at += octets.Length;
        return true;
    }

    public void Skip(byte value, string expected)
    {
        if (!TrySkip(value))
        {
            Fail("Expected " + expected);
        }
    }

    public void OpenList() => Skip((byte)'(', "(");

    /// <summary>After an element of a parenthesised list: true where another follows, false where the list was closed.</summary>
    public bool NextInList()
    {
        if (TrySkip((byte)')'))
        {
            return false;
        }
        if (!TrySkip((byte)' '))
        {
            Fail("Expected a space or )");
        }
        // "(a b )" is not in the grammar, but harmless.
        return !TrySkip((byte)')');
    }

    /// <summary>An atom as it was written.</summary>
    public string Atom(string expected = "an atom") => Encoding.ASCII.GetString(AtomBytes(expected));

    public ReadOnlySpan<byte> AtomBytes(string expected = "an atom")
    {
        var atom = Run(AtomChars);
        if (atom.IsEmpty)
        {
            Fail("Expected " + expected);
        }
        return atom;
    }

    /// <summary>An atom in capitals: the name of a command, a capability, a mechanism. Known ones are not allocated.</summary>
    public string UpperAtom(string expected = "an atom") => Words.Upper(AtomBytes(expected));

    /// <summary>A word of letters, digits, '.' and '-' in capitals: the name of an item, key or option.</summary>
    public string Word(string expected)
    {
        var word = Run(WordChars);
        if (word.IsEmpty)
        {
            Fail("Expected " + expected);
        }
        return Words.Upper(word);
    }

    /// <summary>Consumes the word (given in capitals) if it stands here as a whole, in any case.</summary>
    public bool TryWord(ReadOnlySpan<byte> word)
    {
        var rest = Rest;
        if (rest.Length < word.Length || !Ascii.EqualsIgnoreCase(rest[..word.Length], word)
            || (rest.Length > word.Length && AStringChars.Contains(rest[word.Length])))
        {
            return false;
        }
        _at += word.Length;
        return true;
    }

    /// <summary>A number of up to 63 bits (number64, mod-sequence-valzer).</summary>
    public long Number64(string expected = "a number")
    {
        var start = _at;
        long value = 0;
        while (!AtEnd && (uint)(_input[_at] - '0') <= 9)
        {
            var digit = _input[_at] - '0';
            if (value > (long.MaxValue - digit) / 10)
            {
                Fail("A number is too large");
            }
            value = (value * 10) + digit;
            _at++;
        }
        if (_at == start)
        {
            Fail("Expected " + expected);
        }
        return value;
    }

    /// <summary>A number of up to 32 bits.</summary>
    public uint Number(string expected = "a number")
    {
        var value = Number64(expected);
        if (value > uint.MaxValue)
        {
            Fail("A number is too large");
        }
        return (uint)value;
    }

    /// <summary>A number of up to 32 bits that is not 0.</summary>
    public uint NonZero(string expected = "a number")
    {
        var value = Number(expected);
        if (value == 0)
        {
            Fail("Expected " + expected + " other than 0");
        }
        return value;
    }

    /// <summary>seq-number, ranges with '*', or '$' (RFC 9051 sequence-set, RFC 5182).</summary>
    public SequenceSet SequenceSet() => Wire.SequenceSet.Parse(ref this, allowStar: true);

    ReadOnlySpan<byte> Run(SearchValues<byte> allowed)
    {
        var rest = Rest;
        var length = rest.IndexOfAnyExcept(allowed);
        if (length < 0)
        {
            length = rest.Length;
        }
        _at += length;
        return rest[..length];
    }
}
