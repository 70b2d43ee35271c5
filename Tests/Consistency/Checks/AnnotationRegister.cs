using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>One annotation of one message as a register, as <see cref="FlagRegister"/> is one of two values: what is read some write of it must have been able to leave there.</summary>
/// <param name="initial">What it can have been made with; null: anything.</param>
internal sealed class AnnotationRegister(MessageChronicle message, string name, IReadOnlyCollection<string?>? initial)
{
    // A message has few.
    private readonly (Operation By, string? Value, bool IsCertain)[] _writes =
    [
        .. from operation in message.Annotates
           let write = ((Annotate)operation.Act).Values.FirstOrDefault(v => v.Name == name)
           where write is not null
           // What it named must have been there when it was sent.
           select (operation, write.Value, operation.Outcome == Outcome.Ok && message.Added.At < operation.Invoked),
    ];

    /// <summary>Whether the register can have had a value at some moment of a span.</summary>
    public bool Could(string? value, long from, long to)
    {
        Operation? other = Overwriting(value, from);
        if (other is null && initial?.Contains(value) != false)
            return true;
        return _writes.Any(w => w.Value == value && w.By.Invoked <= to && (other is null || w.By.EffectEnd() >= other.Invoked));
    }

    /// <summary>All values that it can have had in a span; null: any.</summary>
    public IReadOnlyCollection<string?>? Possible(long from, long to) => initial is null && !_writes.Any(w => w.IsCertain && w.By.Completed < from)
        ? null
        : new HashSet<string?>([.. (initial ?? []).Concat(_writes.Select(static w => w.Value)).Where(v => Could(v, from, to))]);

    /// <summary>The latest write of another value that was certainly done before a moment.</summary>
    public Operation? Overwriting(string? value, long before) =>
        _writes.Where(w => w.IsCertain && w.Value != value && w.By.Completed < before).Select(static w => w.By).MaxBy(static by => by.Invoked);
}
