namespace MailCluster.Consistency.History;

/// <summary>A promise that was broken.</summary>
/// <param name="Promise">A short name that does not change ("lost", "twice", "uid-order", "modseq-order", "stale-read", "flags", "numbers", "qresync", "converge", "quota", "orphans"…).</param>
/// <param name="What">One sentence with UIDs, marks, modseqs.</param>
/// <param name="Involved">The fewest operations that show it, by number.</param>
/// <param name="Subject">What it is about, the same in each run of the checks over the same history: a message, a mark, a name.</param>
internal sealed record Violation(string Promise, string What, IReadOnlyList<Operation> Involved, string Subject = "");
