using System.Buffers;
using System.Text;

namespace MailCluster.Imap.Wire;

/// <summary>Mailbox names in modified UTF-7 (RFC 3501 §5.1.3).</summary>
public static class ModifiedUtf7
{
    static ReadOnlySpan<byte> Alphabet => "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,"u8;

    /// <summary>
    /// Strict: false for 8-bit or control bytes, printable ASCII or '&amp;' inside a shift, adjacent shifts that should have been one, padding
    /// bits other than 0, left-over bits, an open shift, or surrogates that do not pair. So every name has exactly one encoding.
    /// </summary>
    public static bool TryDecode(ReadOnlySpan<byte> encoded, out string name)
    {
        name = "";
        if (encoded.IndexOf((byte)'&') < 0)
        {
            if (encoded.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7e) >= 0)
            {
                return false;
            }
            name = Encoding.ASCII.GetString(encoded);
            return true;
        }
        // Never more characters than bytes.
        var rented = ArrayPool<char>.Shared.Rent(encoded.Length);
        try
        {
            if (!Decode(encoded, rented, out var length))
            {
                return false;
            }
            name = new string(rented, 0, length);
            return true;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(rented);
        }
    }

    static bool Decode(ReadOnlySpan<byte> encoded, Span<char> name, out int length)
    {
        length = 0;
        var afterShift = false;
        for (var i = 0; i < encoded.Length; i++)
        {
            var b = encoded[i];
            if (b is < 0x20 or > 0x7e)
            {
                return false;
            }
            if (b != '&')
            {
                name[length++] = (char)b;
                afterShift = false;
                continue;
            }
            var end = encoded[i..].IndexOf((byte)'-');
            if (end < 0)
            {
                return false;
            }
            var shifted = encoded.Slice(i + 1, end - 1);
            if (shifted.IsEmpty)
            {
                name[length++] = '&';
                afterShift = false;
            }
            else if (afterShift || !DecodeShift(shifted, name, ref length))
            {
                return false;
            }
            else
            {
                afterShift = true;
            }
            i += end;
        }
        return true;
    }

    static bool DecodeShift(ReadOnlySpan<byte> shifted, Span<char> name, ref int length)
    {
        uint bits = 0;
        var count = 0;
        var high = false;
        foreach (var b in shifted)
        {
            var value = Value(b);
            if (value < 0)
            {
                return false;
            }
            bits = (bits << 6) | (uint)value;
            count += 6;
            if (count < 16)
            {
                continue;
            }
            count -= 16;
            var c = (char)(bits >> count);
            if (c is >= (char)0x20 and <= (char)0x7e || high != char.IsLowSurrogate(c))
            {
                return false;
            }
            high = char.IsHighSurrogate(c);
            name[length++] = c;
        }
        return !high && count < 6 && (bits & ((1u << count) - 1)) == 0;
    }

    static int Value(byte b) => b switch
    {
        >= (byte)'A' and <= (byte)'Z' => b - 'A',
        >= (byte)'a' and <= (byte)'z' => b - 'a' + 26,
        >= (byte)'0' and <= (byte)'9' => b - '0' + 52,
        (byte)'+' => 62,
        (byte)',' => 63,
        _ => -1,
    };

    /// <summary>Encodes any string; a surrogate without its partner is encoded as it stands, and then does not decode.</summary>
    public static void Encode(ReadOnlySpan<char> name, IBufferWriter<byte> output)
    {
        while (!name.IsEmpty)
        {
            var plain = name.IndexOfAnyExceptInRange((char)0x20, (char)0x7e);
            plain = plain < 0 ? name.Length : plain;
            EncodePlain(name[..plain], output);
            name = name[plain..];
            var shifted = name.IndexOfAnyInRange((char)0x20, (char)0x7e);
            shifted = shifted < 0 ? name.Length : shifted;
            if (shifted > 0)
            {
                EncodeShift(name[..shifted], output);
                name = name[shifted..];
            }
        }
    }

    /// <summary>As <see cref="Encode(ReadOnlySpan{char}, IBufferWriter{byte})"/>, as a string of ASCII characters.</summary>
    public static string Encode(string name)
    {
        var output = new ArrayBufferWriter<byte>(name.Length + 16);
        Encode(name, output);
        return Encoding.ASCII.GetString(output.WrittenSpan);
    }

    static void EncodePlain(ReadOnlySpan<char> name, IBufferWriter<byte> output)
    {
        foreach (var c in name)
        {
            var span = output.GetSpan(2);
            span[0] = (byte)c;
            span[1] = (byte)'-';
            output.Advance(c == '&' ? 2 : 1);
        }
    }

    static void EncodeShift(ReadOnlySpan<char> name, IBufferWriter<byte> output)
    {
        var span = output.GetSpan((name.Length * 16 / 6) + 3);
        var length = 0;
        span[length++] = (byte)'&';
        uint bits = 0;
        var count = 0;
        foreach (var c in name)
        {
            bits = (bits << 16) | c;
            count += 16;
            while (count >= 6)
            {
                count -= 6;
                span[length++] = Alphabet[(int)(bits >> count) & 63];
            }
        }
        if (count > 0)
        {
            span[length++] = Alphabet[(int)(bits << (6 - count)) & 63];
        }
        span[length++] = (byte)'-';
        output.Advance(length);
    }
}
