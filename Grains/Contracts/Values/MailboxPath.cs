using System.Text;

namespace MailCluster.Contracts;

/// <summary>
/// A mailbox name as a path of segments, free of any delimiter (delimiter and prefix are settings of the account).
/// Segments are never empty, and NFC as stored (the store composes what a client writes); a first segment that is INBOX in any case is "INBOX" (RFC 9051 §5.1).
/// </summary>
[GenerateSerializer, Immutable, Alias("MailboxPath")]
public sealed class MailboxPath : IEquatable<MailboxPath>, IComparable<MailboxPath>
{
    /// <summary>The longest segment of a new name, in octets of UTF-8.</summary>
    public const int MaxSegment = 255;

    /// <summary>The most levels of a new name: deeper trees are mistakes of scripts, and every client walks them.</summary>
    public const int MaxDepth = 64;

    public static readonly MailboxPath Inbox = new(["INBOX"]);

    private static readonly MailError _notAllowed = new(MailErrorCode.Cannot, "This name is not allowed.");

    [Id(0)]
    private readonly string[] _segments;

    private MailboxPath(string[] segments) => _segments = segments;

    public IReadOnlyList<string> Segments => _segments;

    public bool IsInbox => _segments.Length == 1 && _segments[0] == "INBOX";

    public string Leaf => _segments[^1];

    public MailboxPath? Parent => _segments.Length == 1 ? null : new MailboxPath(_segments[..^1]);

    /// <summary>Puts INBOX in upper case; whether the name is allowed is checked where it is created.</summary>
    public static MailboxPath Of(params IEnumerable<string> segments)
    {
        string[] all = [.. segments];
        ArgumentOutOfRangeException.ThrowIfZero(all.Length, nameof(segments));
        if (all[0].Equals("INBOX", StringComparison.OrdinalIgnoreCase))
            all[0] = "INBOX";
        return new MailboxPath(all);
    }

    /// <summary>A name as the client writes it, in Unicode; what <see cref="ToString(char)"/> has escaped is what it stands for.</summary>
    public static MailboxPath Parse(string name, char delimiter)
    {
        string[] segments = name.Split(delimiter);
        return Of(name.Contains('\\') ? segments.Select(s => Unescaped(s, delimiter)) : segments);
    }

    /// <summary>
    /// The name with that delimiter. A segment may hold it, which comes from an account that had another one when it got the name: it is written as a backslash and its
    /// code in hexadecimal, so that no two paths have the same name.
    /// </summary>
    public string ToString(char delimiter) =>
        string.Join(delimiter, _segments.Any(s => s.AsSpan().ContainsAny('\\', delimiter)) ? _segments.Select(s => Escaped(s, delimiter)) : _segments);

    public override string ToString() => ToString('/');

    /// <summary>True when this path lies below <paramref name="ancestor"/> (not for the ancestor itself).</summary>
    public bool IsBelow(MailboxPath ancestor) =>
        _segments.Length > ancestor._segments.Length && _segments.AsSpan(0, ancestor._segments.Length).SequenceEqual(ancestor._segments);

    /// <summary>Why nothing new may have this name; null: it may. What has it already keeps it.</summary>
    public MailError? WhyNotNew()
    {
        if (_segments.Length > MaxDepth || _segments.Any(static s => s.Length == 0 || s.Any(static c => c is '*' or '%' or '\u2028' or '\u2029' || char.IsControl(c))))
            return _notAllowed;
        return _segments.Any(static s => Encoding.UTF8.GetByteCount(s) > MaxSegment) ? new MailError(MailErrorCode.Cannot, $"A level of a name has at most {MaxSegment} octets.") : null;
    }

    /// <summary>This path with <paramref name="from"/> at its beginning replaced by <paramref name="to"/>.</summary>
    public MailboxPath Rebase(MailboxPath from, MailboxPath to) => Of([.. to._segments, .. _segments[from._segments.Length..]]);

    public bool Equals(MailboxPath? other) => other is not null && _segments.AsSpan().SequenceEqual(other._segments);

    public override bool Equals(object? obj) => Equals(obj as MailboxPath);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (string s in _segments)
            hash.Add(s, StringComparer.Ordinal);
        return hash.ToHashCode();
    }

    /// <summary>INBOX first, then by segment, ordinal; a parent before its children.</summary>
    public int CompareTo(MailboxPath? other)
    {
        if (other is null)
            return 1;
        bool inbox = _segments[0] == "INBOX", otherInbox = other._segments[0] == "INBOX";
        if (inbox != otherInbox)
            return inbox ? -1 : 1;
        for (int i = 0; i < _segments.Length && i < other._segments.Length; i++)
        {
            int order = string.CompareOrdinal(_segments[i], other._segments[i]);
            if (order != 0)
                return order;
        }
        return _segments.Length.CompareTo(other._segments.Length);
    }

    private static string CodeOf(char delimiter) => $"\\{(int)delimiter:x2}";

    // A backslash alone is none: names that hold one look as they always did.
    private static string Escaped(string segment, char delimiter) => segment
        .Replace(@"\5c", @"\5c5c", StringComparison.Ordinal)
        .Replace(CodeOf(delimiter), @"\5c" + CodeOf(delimiter)[1..], StringComparison.Ordinal)
        .Replace(delimiter.ToString(), CodeOf(delimiter), StringComparison.Ordinal);

    private static string Unescaped(string segment, char delimiter)
    {
        var text = new StringBuilder(segment.Length);
        string code = CodeOf(delimiter);
        for (int i = 0; i < segment.Length; i++)
        {
            char c = segment[i];
            if (string.CompareOrdinal(segment, i, @"\5c", 0, 3) == 0)
                i += 2;
            else if (string.CompareOrdinal(segment, i, code, 0, 3) == 0)
            {
                c = delimiter;
                i += 2;
            }
            text.Append(c);
        }
        return text.ToString();
    }
}
