using System.Text;

namespace MailCluster.Imap.Wire;

/// <summary>How well the bytes of a mailbox name fit the session's encoding.</summary>
public enum NameForm
{
    /// <summary>As the session's charset prescribes.</summary>
    Regular,

    /// <summary>UTF-8 in a session that should send modified UTF-7.</summary>
    RawUtf8,

    /// <summary>Invalid modified UTF-7, taken letter by letter.</summary>
    InvalidUtf7,

    /// <summary>Neither; bytes above 127 stand as the characters of ISO 8859-1.</summary>
    Undecodable,
}

/// <summary>
/// A mailbox name or pattern from a command. A name whose <see cref="Form"/> is not regular may name something that exists, but nothing new may
/// get it. Not normalised to NFC, not split into segments: the session knows the delimiter.
/// </summary>
public readonly record struct MailboxArgument(string Name, NameForm Form = NameForm.Regular)
{
    static readonly UTF8Encoding StrictUtf8 = new(false, true);

    public static MailboxArgument Decode(ReadOnlySpan<byte> bytes, WireCharset charset)
    {
        if (Ascii.EqualsIgnoreCase(bytes, "INBOX"u8))
        {
            return new("INBOX");
        }
        if (charset == WireCharset.Rev1 && ModifiedUtf7.TryDecode(bytes, out var name))
        {
            return new(name);
        }
        if (Ascii.IsValid(bytes))
        {
            return new(Encoding.ASCII.GetString(bytes), charset == WireCharset.Rev1 ? NameForm.InvalidUtf7 : NameForm.Regular);
        }
        try
        {
            return new(StrictUtf8.GetString(bytes), charset == WireCharset.Rev1 ? NameForm.RawUtf8 : NameForm.Regular);
        }
        catch (DecoderFallbackException)
        {
            return new(Encoding.Latin1.GetString(bytes), NameForm.Undecodable);
        }
    }

    public override string ToString() => Name;
}
