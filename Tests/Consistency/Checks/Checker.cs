using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>
/// Says which promises a history breaks. Sound: what it names cannot be explained by any order of the operations that keeps to the promises, whenever those of unknown
/// outcome took effect, if they did. Pure; near linear in what was seen, some 100,000 lines of answers a second.
/// </summary>
internal static class Checker
{
    /// <summary>More than these are not gathered: one fault breaks a promise for many messages.</summary>
    private const int MaxViolations = 1000;

    /// <param name="history">
    /// By invocation (<see cref="Recorder.Operations"/>). Every operation that can have had an effect on what was seen must be in it: while clients are at work use
    /// <see cref="Recorder.Closed"/>.
    /// </param>
    /// <param name="doubts">When readings may have been old, because an owner was frozen or cut off; null: never.</param>
    public static IReadOnlyList<Violation> Check(IReadOnlyList<Operation> history, IReadOnlyList<Doubt>? doubts = null)
    {
        var chronicle = new Chronicle(Perspectives.Of(history), doubts ?? []);
        var found = new List<Violation>();
        var told = new HashSet<(string, string)>();
        foreach (Violation violation in Run(chronicle))
        {
            if (told.Add((violation.Promise, violation.Subject)))
                found.Add(violation);
            if (found.Count == MaxViolations)
                break;
        }
        return found;
    }

    private static IEnumerable<Violation> Run(Chronicle chronicle) =>
    [
        .. Answers.Check(chronicle),
        .. Membership.Check(chronicle),
        .. Marks.Check(chronicle),
        .. UnseenMessages.Check(chronicle),
        .. UidOrder.Check(chronicle),
        .. ModSeqOrder.Check(chronicle),
        .. FlagReads.Check(chronicle),
        .. ConditionalStores.Check(chronicle),
        .. AnnotationReads.Check(chronicle),
        .. Consents.Check(chronicle),
        .. MessageCounts.Check(chronicle),
        .. UidValidities.Check(chronicle),
        .. QResyncs.Check(chronicle),
        .. Settled.Check(chronicle),
    ];

    /// <summary>A violation that these operations show, each once and in their order.</summary>
    public static Violation Broken(string promise, string subject, string what, params IEnumerable<Operation?> involved) =>
        new(promise, what, [.. involved.OfType<Operation>().DistinctBy(static o => o.Number).OrderBy(static o => o.Number)], subject);
}
