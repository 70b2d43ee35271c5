using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// One flag of one message as a boolean register. A value can be read when some write of it can be the last one: it was invoked before the reading ended, and no write
/// of the other value that certainly happened lies wholly between it and the reading.
/// </summary>
internal sealed class FlagRegister
{
    private readonly bool[] _initial = new bool[2];
    // By value: all that may have written it by invocation, and the certain ones by completion.
    private readonly List<Operation>[] _possible = [[], []];
    private readonly List<Operation>[] _certain = [[], []];
    private readonly long[][] _begin = [[], []];
    private readonly long[][] _end = [[], []];
    private readonly long[][] _latestEnd = [[], []];
    private readonly Operation[][] _latestBegin = [[], []];

    /// <param name="stores">What named the message and can have had an effect, by invocation.</param>
    public FlagRegister(MessageChronicle message, string flag, (bool Set, bool Clear) initial, IEnumerable<Operation> stores)
    {
        _initial[1] = initial.Set;
        _initial[0] = initial.Clear;
        foreach (Operation operation in stores)
        {
            var store = (Store)operation.Act;
            bool named = store.Flags.Contains(flag);
            // One that replaces all flags leaves what it is not told of.
            if (!named && (store.Kind != StoreKind.Replace || !Perspectives.IsTold(flag, operation)))
                continue;
            int value = named && store.Kind != StoreKind.Remove ? 1 : 0;
            _possible[value].Add(operation);
            // What it named must have been there when it was sent.
            if (operation.Outcome == Outcome.Ok && message.Added.At < operation.Invoked)
                _certain[value].Add(operation);
        }
        for (int value = 0; value < 2; value++)
        {
            _begin[value] = [.. _possible[value].Select(static o => o.Invoked)];
            _latestEnd[value] = new long[_possible[value].Count];
            for (int i = 0; i < _latestEnd[value].Length; i++)
                _latestEnd[value][i] = Math.Max(i == 0 ? long.MinValue : _latestEnd[value][i - 1], _possible[value][i].EffectEnd());
            _certain[value].Sort(static (a, b) => a.Completed.CompareTo(b.Completed));
            _end[value] = [.. _certain[value].Select(static o => o.Completed)];
            _latestBegin[value] = new Operation[_certain[value].Count];
            for (int i = 0; i < _latestBegin[value].Length; i++)
            {
                Operation write = _certain[value][i];
                _latestBegin[value][i] = i > 0 && _latestBegin[value][i - 1].Invoked > write.Invoked ? _latestBegin[value][i - 1] : write;
            }
        }
    }

    /// <summary>Whether the register can have had a value at some moment of a span.</summary>
    public bool Could(bool value, long from, long to)
    {
        int v = value ? 1 : 0;
        Operation? other = Overwriting(value, from);
        if (other is null && _initial[v])
            return true;
        int n = Moments.CountUntil(_begin[v], to);
        return n > 0 && (other is null || _latestEnd[v][n - 1] >= other.Invoked);
    }

    /// <summary>The earliest moment from <paramref name="from"/> on at which it can have the value, if it can until <paramref name="to"/>.</summary>
    public long? FirstPossible(bool value, long from, long to)
    {
        if (!Could(value, from, to))
            return null;
        if (Could(value, from, from))
            return from;
        int v = value ? 1 : 0;
        int n = Moments.CountUntil(_begin[v], from);
        return n < _begin[v].Length ? _begin[v][n] : from;
    }

    /// <summary>The latest write of the other value that was certainly done before a moment.</summary>
    public Operation? Overwriting(bool value, long before)
    {
        int other = value ? 0 : 1;
        int n = Moments.CountUntil(_end[other], before - 1);
        return n == 0 ? null : _latestBegin[other][n - 1];
    }
}
