using System.Text;
using MimeKit;
using MimeKit.Utils;

namespace MailCluster.Sieve.Running;

/// <summary>One field of a message's header as it stands there.</summary>
/// <param name="Raw">With name, folding and CRLF.</param>
public sealed record HeaderField(string Name, ReadOnlyMemory<byte> Raw)
{
    private string? _decoded;

    /// <summary>What follows the colon, folding and all.</summary>
    public ReadOnlySpan<byte> RawValue => Raw.Span[(Raw.Span.IndexOf((byte)':') + 1)..];

    /// <summary>Unfolded, encoded words decoded (RFC 2047), without blanks at both ends.</summary>
    public string Value(int maxOctets) => _decoded ??= Decode(RawValue, maxOctets);

    /// <summary>Unfolded, as it is written: what parsers of structured fields take.</summary>
    public byte[] Unfolded(int maxOctets) => Unfold(RawValue, maxOctets);

    /// <summary>A field that a script adds: encoded words where they are needed, folded.</summary>
    public static HeaderField Make(string name, string value)
    {
        // A header field has no lines of the script's own making.
        byte[] raw = [.. Encoding.ASCII.GetBytes(name), (byte)':', .. Encoded(name, value.ReplaceLineEndings(" ").Replace('\0', ' '))];
        return new HeaderField(name, Crlf(raw));
    }

    private static byte[] Encoded(string name, string value)
    {
        try
        {
            return new Header(Encoding.UTF8, name, value).RawValue;
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            // A name that MimeKit does not take, or a value that is none of its field's form ("Content-Type: x"): as in a field that it does not know.
            return new Header(Encoding.UTF8, new string('X', name.Length), value).RawValue;
        }
    }

    private static string Decode(ReadOnlySpan<byte> raw, int maxOctets) => Rfc2047.DecodeText(Unfold(raw, maxOctets)).Trim();

    private static byte[] Unfold(ReadOnlySpan<byte> raw, int maxOctets)
    {
        if (raw.Length > maxOctets)
            raw = raw[..maxOctets];
        var bytes = new List<byte>(raw.Length);
        foreach (byte b in raw)
        {
            if (b is not ((byte)'\r' or (byte)'\n'))
                bytes.Add(b);
        }
        return [.. bytes];
    }

    private static byte[] Crlf(byte[] raw)
    {
        var bytes = new List<byte>(raw.Length + 4);
        foreach (byte b in raw)
        {
            if (b == '\n' && (bytes.Count == 0 || bytes[^1] != '\r'))
                bytes.Add((byte)'\r');
            bytes.Add(b);
        }
        if (bytes.Count < 2 || bytes[^1] != '\n')
            bytes.AddRange("\r\n"u8);
        return [.. bytes];
    }
}

/// <summary>A message's header, as it came or as a script has edited it (RFC 5293). Immutable.</summary>
public sealed class MessageHeader
{
    private readonly int _added;
    private readonly bool _changed;

    private MessageHeader(IReadOnlyList<HeaderField> fields, int octets, int added, bool changed)
    {
        Fields = fields;
        Octets = octets;
        _added = added;
        _changed = changed;
    }

    public IReadOnlyList<HeaderField> Fields { get; }

    /// <summary>Of the header in the message as it came, without the empty line; what follows is the same whatever was edited.</summary>
    public int Octets { get; }

    /// <summary>Nothing but new fields before all others: what came is unchanged behind <see cref="AddedBytes"/>.</summary>
    public bool OnlyAdded => !_changed;

    /// <summary>The new fields at the beginning.</summary>
    public byte[] AddedBytes => Bytes(Fields.Take(_added));

    /// <summary>The whole header, without the empty line.</summary>
    public byte[] AllBytes => Bytes(Fields);

    /// <summary>Reads the beginning of a message up to the first empty line, or what is there of it. Lines that are no field belong to the one before.</summary>
    public static MessageHeader Parse(ReadOnlyMemory<byte> message)
    {
        var fields = new List<HeaderField>();
        int at = 0, start = 0;
        string? name = null;
        ReadOnlySpan<byte> span = message.Span;
        while (at < span.Length)
        {
            int end = span[at..].IndexOf((byte)'\n');
            // A line that is cut off at the end of what is known is no part of any field.
            if (end < 0)
                break;
            ReadOnlySpan<byte> line = span.Slice(at, end + 1);
            if (line.TrimEnd("\r\n"u8).IsEmpty)
                break;
            if (line[0] is not ((byte)' ' or (byte)'\t') && NameOf(line) is { } next)
            {
                Add(at);
                (name, start) = (next, at);
            }
            at += line.Length;
        }
        Add(at);
        return new MessageHeader(fields, at, 0, false);

        void Add(int end)
        {
            if (name is not null)
                fields.Add(new HeaderField(name, message[start..end]));
            else if (end > start)
                fields.Add(new HeaderField("", message[start..end]));
        }
    }

    /// <summary>The fields of a name, in order.</summary>
    public IEnumerable<HeaderField> Of(string name) => Fields.Where(f => f.Name.Equals(name, StringComparison.OrdinalIgnoreCase));

    /// <summary>A new field before all others, or behind them.</summary>
    public MessageHeader Add(HeaderField field, bool last) => last
        ? new MessageHeader([.. Fields, field], Octets, _added, true)
        : new MessageHeader([field, .. Fields], Octets, _added + 1, _changed);

    public MessageHeader Remove(IReadOnlySet<HeaderField> gone)
    {
        if (gone.Count == 0)
            return this;
        int added = Fields.Take(_added).Count(f => !gone.Contains(f));
        bool changed = _changed || Fields.Skip(_added).Any(gone.Contains);
        return new MessageHeader([.. Fields.Where(f => !gone.Contains(f))], Octets, added, changed);
    }

    private static string? NameOf(ReadOnlySpan<byte> line)
    {
        int colon = line.IndexOf((byte)':');
        if (colon < 1)
            return null;
        ReadOnlySpan<byte> name = line[..colon].TrimEnd(" \t"u8);
        foreach (byte b in name)
        {
            if (b is <= 32 or >= 127)
                return null;
        }
        return name.IsEmpty ? null : Encoding.ASCII.GetString(name);
    }

    private static byte[] Bytes(IEnumerable<HeaderField> fields)
    {
        var bytes = new MemoryStream();
        foreach (HeaderField field in fields)
            bytes.Write(field.Raw.Span);
        return bytes.ToArray();
    }
}
