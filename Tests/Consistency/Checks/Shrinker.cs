using System.Diagnostics;
using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// Cuts out of a history what is enough to show a violation. The operations of the violation stay; what else the checks need to conclude it (the APPEND that made a message, say) is found by
/// leaving out ever smaller parts of what touches the same mailboxes. What is left must show the violation by the same operations: otherwise leaving out the operation that
/// explains a reading would make a violation that never was.
/// </summary>
internal static class Shrinker
{
    /// <param name="bound">Then the shortest so far is taken.</param>
    public static IReadOnlyList<Operation> Shrink(
        IReadOnlyList<Operation> history, Violation violation, IReadOnlyList<Doubt>? doubts = null, TimeSpan? bound = null)
    {
        long began = Stopwatch.GetTimestamp();
        TimeSpan limit = bound ?? TimeSpan.FromSeconds(20);
        HashSet<long> involved = [.. violation.Involved.Select(static o => o.Number)];
        bool Shows(IReadOnlyList<Operation> part) => Checker.Check(part, doubts).Any(v =>
            v.Promise == violation.Promise && v.Subject == violation.Subject && v.Involved.All(o => involved.Contains(o.Number)));

        if (involved.Count == 0 || Shows(violation.Involved))
            return violation.Involved;
        var touched = new HashSet<MailboxRef>(violation.Involved.SelectMany(Touched));
        var accounts = new HashSet<string>(violation.Involved.Select(static o => o.Account));
        List<Operation> part = [.. history.Where(o => involved.Contains(o.Number) || Touched(o).Any(touched.Contains) || (accounts.Contains(o.Account) && !IsRead(o)))];
        if (!Shows(part))
        {
            // Some violations are not the checks' own: what a fault did, what the rows say.
            if (!Shows(history))
                return violation.Involved;
            part = [.. history];
        }
        int size = part.Count;
        do
        {
            size = Math.Max(1, size / 2);
            // From the end: what came later matters less.
            for (int end = part.Count; end > 0; end -= size)
            {
                if (Stopwatch.GetElapsedTime(began) > limit)
                    return part;
                int start = Math.Max(0, end - size);
                List<Operation> shorter = [.. part.Where((o, i) => i < start || i >= end || involved.Contains(o.Number))];
                if (shorter.Count < part.Count && Shows(shorter))
                    part = shorter;
                end = Math.Min(end, part.Count + size);
            }
        }
        while (size > 1);
        return part;
    }

    private static bool IsRead(Operation operation) => operation.Act is Read or Select;

    /// <summary>The mailboxes that an operation names, or was told of.</summary>
    private static IEnumerable<MailboxRef> Touched(Operation operation)
    {
        MailboxRef?[] named = operation.Act switch
        {
            Append a => [a.Into],
            Store s => [s.In],
            Annotate a => [a.In],
            Transfer t => [t.From, t.To],
            Replace r => [r.In, r.Into],
            Expunge e => [e.In],
            Remove r => [r.In],
            Select s => [s.In],
            Create c => [c.Made],
            Delete d => [d.Gone],
            _ => [],
        };
        return named.OfType<MailboxRef>().Concat(operation.Seen.Select(In).OfType<MailboxRef>()).Distinct();
    }

    private static MailboxRef? In(Seen seen) => seen switch
    {
        SeenMessage s => s.In,
        SeenAnnotations s => s.In,
        SeenAll s => s.In,
        SeenFlag s => s.In,
        SeenCounts s => s.In,
        SeenNews s => s.In,
        SeenGone s => s.In,
        SeenVanished s => s.In,
        SeenBreach s => s.In,
        _ => null,
    };
}
