using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>A moment by which (or from which) something is so, and the operation that shows it. <see cref="Never"/> where nothing does.</summary>
internal readonly record struct Proof(long At, Operation? By)
{
    public static readonly Proof Never = new(long.MaxValue, null);

    public bool IsKnown => By is not null;

    public Proof OrEarlier(Proof other) => other.At < At ? other : this;
}

/// <summary>The rules of what an outcome lets one conclude.</summary>
internal static class Effects
{
    /// <summary>Acknowledged, or not known.</summary>
    public static bool CanHaveEffect(this Operation operation) => operation.Outcome == Outcome.Ok || operation.MayHaveHappened;

    /// <summary>The last moment at which it can take effect: an operation of unknown outcome can do so for ever.</summary>
    public static long EffectEnd(this Operation operation) => operation.Outcome == Outcome.Ok ? operation.Completed : long.MaxValue;
}
