using System.Diagnostics;
using System.Globalization;
using MailCluster.Consistency.Checks;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Report;

/// <summary>Tells violations as plain text: the seed, what was broken in a sentence, the shortest history that shows it, and the last part of the transcripts of its sessions.</summary>
/// <param name="history">All of it.</param>
/// <param name="most">So many are told; the others are counted, by promise.</param>
internal sealed class ViolationReport(
    int seed, IReadOnlyList<Operation> history, IReadOnlyDictionary<int, SessionFacts> sessions, IReadOnlyList<Doubt>? doubts = null, int most = 5)
{
    private const int MaxSeen = 12;
    private const int MaxTranscriptLines = 80;

    private readonly long _began = history.Count == 0 ? 0 : history.Min(static o => o.Invoked);

    public void Write(TextWriter to, IReadOnlyList<Violation> violations)
    {
        // One of each promise first.
        List<Violation> told = [.. violations.GroupBy(static v => v.Promise).SelectMany(static g => g.Select(static (v, i) => (v, i))).OrderBy(static p => p.i).Take(most).Select(static p => p.v)];
        int number = 0;
        foreach (Violation violation in told)
            Write(to, violation, ++number);
        if (violations.Count > told.Count)
        {
            IEnumerable<string> others = violations.Except(told).GroupBy(static v => v.Promise).Select(static g => $"{g.Count()} {g.Key}");
            to.WriteLine($"and {violations.Count - told.Count} more: {string.Join(", ", others)}");
        }
    }

    /// <summary>Every operation with all that was seen, for a reader with a question of his own.</summary>
    public void WriteHistory(TextWriter to)
    {
        foreach (Operation operation in history)
            Write(to, operation, int.MaxValue);
    }

    private void Write(TextWriter to, Violation violation, int number)
    {
        to.WriteLine($"violation {number}, seed {seed}: {violation.Promise}: {violation.What}");
        IReadOnlyList<Operation> shown = Shrinker.Shrink(history, violation, doubts);
        if (shown.Count > 0)
        {
            to.WriteLine($"  {"sent",10} {"answered",10}  {"session",-7} {"front end",-21} command");
            foreach (Operation operation in shown)
                Write(to, operation, MaxSeen);
        }
        foreach (int session in violation.Involved.Select(static o => o.Session).Distinct())
        {
            if (!sessions.TryGetValue(session, out SessionFacts? facts))
                continue;
            to.WriteLine($"  session {session}, {facts.Account} at {facts.FrontEnd}, the last it sent and got:");
            string[] lines = facts.Transcript().TrimEnd().Split('\n');
            foreach (string line in lines.TakeLast(MaxTranscriptLines))
                to.WriteLine($"    {line.TrimEnd('\r')}");
        }
        to.WriteLine();
    }

    private void Write(TextWriter to, Operation operation, int mostSeen)
    {
        string frontEnd = sessions.TryGetValue(operation.Session, out SessionFacts? facts) ? facts.FrontEnd : "";
        string answer = operation.Outcome switch
        {
            Outcome.Unknown => "no answer",
            Outcome.No => operation.Code is null ? "NO" : $"NO [{operation.Code}]",
            var outcome => outcome.ToString().ToUpperInvariant(),
        };
        to.WriteLine($"  {Time(operation.Invoked),10} {(operation.Outcome == Outcome.Unknown ? "never" : Time(operation.Completed)),10}  {operation.Session,-7} {frontEnd,-21} "
            + $"#{operation.Number} {operation.Account}: {Text(operation)} → {answer}{Done(operation.Act)}");
        foreach (Seen seen in operation.Seen.Take(mostSeen))
            to.WriteLine($"  {Time(seen.At),10} {"",10}  {"",-29} {SeenText.Of(seen)}");
        if (operation.Seen.Count > mostSeen)
            to.WriteLine($"  {"",10} {"",10}  {"",-29} and {operation.Seen.Count - mostSeen} more");
    }

    private static string Text(Operation operation) => operation.Text.Length <= 200 ? operation.Text : operation.Text[..200] + "…";

    private static string Done(Act act) => act switch
    {
        Append append => $" marks {string.Join(',', append.Messages.Select(static m => m.Mark))} are UIDs {string.Join(',', append.Uids)} of {append.Into}",
        Replace replace => $" mark {replace.Message.Mark} is UID {replace.NewUid} of {replace.Into}, in place of UID {replace.Uid} of {replace.In}",
        Deliver deliver => $" mark {deliver.Message.Mark}",
        Transfer transfer => $" {transfer.From} to {transfer.To}: {string.Join(' ', transfer.Pairs.Select(static p => $"{p.Source}→{p.Destination}"))}",
        Store { Modified.IsEmpty: false } store => $" MODIFIED {store.Modified}",
        _ => "",
    };

    private string Time(long ticks) => ((ticks - _began) / (double)Stopwatch.Frequency).ToString("F4", CultureInfo.InvariantCulture);
}
