using MailCluster.Contracts.Content;

namespace MailCluster.Storage.Content;

/// <summary>
/// Reads address lists (RFC 5322 §3.4 and its obsolete forms §4.4) from raw header bytes into IMAP's four fields. Never fails:
/// what is no address becomes a mailbox without a host. Encoded words and 8-bit bytes stay as they are.
/// </summary>
internal ref struct AddressListParser
{
    /// <summary>Addresses kept of one header, so that a hostile header cannot cost much more than its own bytes.</summary>
    private const int MaxAddresses = 20_000;

    private readonly ReadOnlySpan<byte> text;
    private readonly List<EnvelopeAddress> addresses = [];
    private readonly List<byte> phrase = [];
    private int at;
    private int lastWord;
    private int nameLength;
    private bool gap;
    private RawText comment;
    private RawText local;
    private RawText host;
    private bool inGroup;

    private AddressListParser(ReadOnlySpan<byte> text) => this.text = text;

    public static IReadOnlyList<EnvelopeAddress> Parse(ReadOnlySpan<byte> value)
    {
        var parser = new AddressListParser(value);
        parser.Run();
        return parser.addresses;
    }

    private void Run()
    {
        while (at < text.Length && addresses.Count < MaxAddresses)
        {
            switch (text[at])
            {
                case (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n':
                    gap = true;
                    at++;
                    break;
                case (byte)'(':
                    comment = new RawText(Comment());
                    gap = true;
                    break;
                case (byte)'"':
                    StartWord();
                    Quoted(phrase);
                    break;
                case (byte)'<':
                    Angle();
                    break;
                case (byte)',':
                    at++;
                    Flush();
                    break;
                case (byte)';':
                    at++;
                    Flush();
                    if (inGroup)
                        addresses.Add(EnvelopeAddress.GroupEnd);
                    inGroup = false;
                    break;
                case (byte)':' when !inGroup && phrase.Count > 0:
                    at++;
                    addresses.Add(EnvelopeAddress.GroupStart(Text(phrase)));
                    inGroup = true;
                    Reset();
                    break;
                case (byte)'@' when local.IsAbsent:
                    AddressWithoutBrackets();
                    break;
                default:
                    StartWord();
                    phrase.Add(text[at++]);
                    break;
            }
        }
        Flush();
        if (inGroup)
            addresses.Add(EnvelopeAddress.GroupEnd);
    }

    /// <summary>Words of a phrase are joined by one space, however many blanks and comments are between them.</summary>
    private void StartWord()
    {
        if (gap && phrase.Count > 0)
        {
            phrase.Add((byte)' ');
            lastWord = phrase.Count;
        }
        gap = false;
    }

    /// <summary>user@host: the word before the @ is the local part; what stands before that is taken as a name.</summary>
    private void AddressWithoutBrackets()
    {
        at++;
        local = Text(phrase.GetRange(lastWord, phrase.Count - lastWord));
        nameLength = lastWord - 1;
        var start = at;
        var domain = new List<byte>();
        do
            domain.AddRange(Domain(",;<(> \t\r\n"u8));
        while (DotFollows());
        host = new RawText(domain.ToArray());
        phrase.Add((byte)'@');
        phrase.AddRange(text[start..at]);
        gap = false;
    }

    /// <summary>RFC 5322 §4.4 allows blanks around the dots of a domain.</summary>
    private readonly bool DotFollows()
    {
        var rest = text[at..].TrimStart(" \t\r\n"u8);
        return !rest.IsEmpty && rest.Length < text.Length - at && (rest[0] == '.' || (text[at - 1] == '.' && !",;<(>"u8.Contains(rest[0])));
    }

    private void Angle()
    {
        at++;
        SkipBlanks();
        RawText route = default;
        if (at < text.Length && text[at] == '@')
        {
            var start = at;
            var colon = text[at..].IndexOfAny((byte)':', (byte)'>');
            if (colon >= 0 && text[at + colon] == ':')
            {
                at += colon + 1;
                route = new RawText(WithoutBlanks(text[start..(at - 1)]));
                SkipBlanks();
            }
        }
        var mailbox = new List<byte>();
        while (at < text.Length && text[at] is not ((byte)'@' or (byte)'>' or (byte)','))
        {
            if (text[at] == '"')
                Quoted(mailbox);
            else if (text[at] == '(')
                Comment();
            else if (text[at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
                at++;
            else
                mailbox.Add(text[at++]);
        }
        var domain = RawText.Empty;
        if (at < text.Length && text[at] == '@')
        {
            at++;
            domain = new RawText(Domain(",>"u8));
        }
        if (at < text.Length && text[at] == '>')
            at++;
        // What follows the bracket up to the next comma can only be a comment, which names an address that has no other name.
        while (at < text.Length && text[at] is not ((byte)',' or (byte)';'))
        {
            if (text[at] == '(')
                comment = new RawText(Comment());
            else
                at++;
        }
        var name = phrase.Count > 0 ? Text(phrase) : comment;
        addresses.Add(new EnvelopeAddress(name, route, Text(mailbox), domain));
        Reset();
    }

    private void Flush()
    {
        if (!local.IsAbsent)
        {
            var name = comment.IsAbsent && nameLength > 0 ? Text(phrase.GetRange(0, nameLength)) : comment;
            addresses.Add(new EnvelopeAddress(name, default, local, host));
        }
        else if (phrase.Count > 0)
        {
            addresses.Add(new EnvelopeAddress(comment, default, Text(phrase), RawText.Empty));
        }
        Reset();
    }

    private void Reset()
    {
        phrase.Clear();
        lastWord = nameLength = 0;
        gap = false;
        comment = local = host = default;
    }

    private byte[] Domain(ReadOnlySpan<byte> ends)
    {
        SkipBlanks();
        var domain = new List<byte>();
        while (at < text.Length && !ends.Contains(text[at]))
        {
            if (text[at] == '[')
            {
                var close = text[at..].IndexOf((byte)']');
                var length = close < 0 ? 1 : close + 1;
                domain.AddRange(text.Slice(at, length));
                at += length;
            }
            else if (text[at] == '(')
                Comment();
            else if (text[at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
                at++;
            else
                domain.Add(text[at++]);
        }
        return domain.ToArray();
    }

    private void Quoted(List<byte> into)
    {
        at++;
        while (at < text.Length && text[at] != '"')
        {
            if (text[at] == '\\' && at + 1 < text.Length)
                at++;
            into.Add(text[at++]);
        }
        at++;
    }

    private byte[] Comment()
    {
        var words = new List<byte>();
        var depth = 0;
        while (at < text.Length)
        {
            var c = text[at++];
            if (c == '\\' && at < text.Length)
            {
                words.Add(text[at++]);
                continue;
            }
            if (c == '(' && depth++ == 0)
                continue;
            if (c == ')' && --depth == 0)
                break;
            words.Add(c);
        }
        return words.ToArray();
    }

    private void SkipBlanks()
    {
        while (at < text.Length && text[at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
            at++;
    }

    private static byte[] WithoutBlanks(ReadOnlySpan<byte> span)
    {
        var kept = new List<byte>(span.Length);
        foreach (var c in span)
        {
            if (c is not ((byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n'))
                kept.Add(c);
        }
        return kept.ToArray();
    }

    private static RawText Text(List<byte> bytes) => new(bytes.ToArray());
}
