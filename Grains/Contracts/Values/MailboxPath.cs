namespace MailCluster.Contracts;

/// <summary>
/// A mailbox name as a path of segments, free of any delimiter (delimiter and prefix are settings of the account).
/// Segments are never empty, and NFC as stored (the store composes what a client writes); a first segment that is INBOX in any case is "INBOX" (RFC 9051 §5.1).
/// </summary>
[GenerateSerializer, Immutable, Alias("MailboxPath")]
public sealed class MailboxPath : IEquatable<MailboxPath>, IComparable<MailboxPath>
{
    public static readonly MailboxPath Inbox = new(["INBOX"]);

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

    /// <summary>A name as the client writes it, in Unicode.</summary>
    public static MailboxPath Parse(string name, char delimiter) => Of(name.Split(delimiter));

    public string ToString(char delimiter) => string.Join(delimiter, _segments);

    public override string ToString() => ToString('/');

    /// <summary>True when this path lies below <paramref name="ancestor"/> (not for the ancestor itself).</summary>
    public bool IsBelow(MailboxPath ancestor) =>
        _segments.Length > ancestor._segments.Length && _segments.AsSpan(0, ancestor._segments.Length).SequenceEqual(ancestor._segments);

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
}
