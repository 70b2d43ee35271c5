using System.Text;

namespace MailCluster.Contracts.Content;

/// <summary>
/// Text of a header exactly as it was sent: bytes of unknown charset, unfolded, never RFC 2047-decoded.
/// <c>default</c> is "the header is absent" (NIL in IMAP), which is not the same as an empty value.
/// </summary>
public readonly struct RawText : IEquatable<RawText>
{
    private readonly ReadOnlyMemory<byte> bytes;
    private readonly bool present;

    public RawText(ReadOnlyMemory<byte> bytes)
    {
        this.bytes = bytes;
        present = true;
    }

    public static RawText Empty { get; } = new(ReadOnlyMemory<byte>.Empty);

    public bool IsAbsent => !present;
    public bool IsEmpty => bytes.IsEmpty;
    public int Length => bytes.Length;
    public ReadOnlyMemory<byte> Bytes => bytes;
    public ReadOnlySpan<byte> Span => bytes.Span;

    /// <summary>One character a byte; characters over U+00FF become '?'. A null string is the absent text.</summary>
    public static RawText FromLatin1(string? text) => text is null ? default : new RawText(Encoding.Latin1.GetBytes(text));

    public bool EqualsIgnoreCase(ReadOnlySpan<byte> other) => present && Ascii.EqualsIgnoreCase(bytes.Span, other);

    public bool Equals(RawText other) => present == other.present && Span.SequenceEqual(other.Span);
    public override bool Equals(object? obj) => obj is RawText other && Equals(other);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }

    public static bool operator ==(RawText left, RawText right) => left.Equals(right);
    public static bool operator !=(RawText left, RawText right) => !left.Equals(right);

    /// <summary>The bytes as Latin-1 characters; empty when absent.</summary>
    public override string ToString() => Encoding.Latin1.GetString(Span);
}
