namespace MailCluster.Consistency.History;

/// <summary>Flags and keywords of a message, without \Recent, compared without case.</summary>
internal sealed class FlagSet(IEnumerable<string> flags) : IEquatable<FlagSet>
{
    public static readonly FlagSet Empty = new([]);

    // Each once, in order. A history holds millions of these: an array is the smallest.
    private readonly string[] _flags =
    [
        .. flags.Where(static f => !f.Equals(@"\Recent", StringComparison.OrdinalIgnoreCase))
            .Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase),
    ];

    public IReadOnlyCollection<string> Names => _flags;

    public bool Contains(string flag)
    {
        foreach (string f in _flags)
        {
            if (f.Equals(flag, StringComparison.OrdinalIgnoreCase))
                return true;
        }
        return false;
    }

    public FlagSet With(FlagSet other) => new(_flags.Concat(other._flags));

    public FlagSet Without(FlagSet other) => new(_flags.Except(other._flags, StringComparer.OrdinalIgnoreCase));

    public bool Equals(FlagSet? other) =>
        ReferenceEquals(this, other) || (other is not null && _flags.AsSpan().SequenceEqual(other._flags, StringComparer.OrdinalIgnoreCase));

    public override bool Equals(object? obj) => Equals(obj as FlagSet);

    public override int GetHashCode() => _flags.Length;

    public override string ToString() => $"({string.Join(' ', _flags)})";
}
