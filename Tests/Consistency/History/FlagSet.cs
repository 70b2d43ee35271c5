namespace MailCluster.Consistency.History;

/// <summary>Flags and keywords of a message, without \Recent, compared without case.</summary>
internal sealed class FlagSet(IEnumerable<string> flags) : IEquatable<FlagSet>
{
    public static readonly FlagSet Empty = new([]);

    private readonly SortedSet<string> _flags =
        new(flags.Where(static f => !f.Equals(@"\Recent", StringComparison.OrdinalIgnoreCase)), StringComparer.OrdinalIgnoreCase);

    public IReadOnlyCollection<string> Names => _flags;

    public bool Contains(string flag) => _flags.Contains(flag);

    public FlagSet With(FlagSet other) => new(_flags.Concat(other._flags));

    public FlagSet Without(FlagSet other) => new(_flags.Except(other._flags, StringComparer.OrdinalIgnoreCase));

    public bool Equals(FlagSet? other) => other is not null && _flags.SetEquals(other._flags);

    public override bool Equals(object? obj) => Equals(obj as FlagSet);

    public override int GetHashCode() => _flags.Count;

    public override string ToString() => $"({string.Join(' ', _flags)})";
}
