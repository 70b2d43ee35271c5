using MailCluster.Consistency.Checks;
using MailCluster.Consistency.History;
using MailCluster.Consistency.Report;
using Xunit;
using static MailCluster.Tests.Unit.Consistency.Checks.Story;

namespace MailCluster.Tests.Unit.Consistency.Checks;

/// <summary>What a violation looks like in print.</summary>
public sealed class ReportTests
{
    private static string Written(Story story, IReadOnlyList<Violation> violations, int most = 5)
    {
        var sessions = new Dictionary<int, SessionFacts> { [1] = new SessionFacts(1, "alice", "127.0.0.1:1143", static () => "C: A1 NOOP\r\nS: A1 OK\r\n") };
        var text = new StringWriter();
        new ViolationReport(17, story.History, sessions, most: most).Write(text, violations);
        return text.ToString();
    }

    [Fact]
    public void A_violation_is_told_with_seed_history_and_transcript()
    {
        Story story = new Story().Append(Inbox, "b", 1).Append(Inbox, "a", 2).List(Inbox, 1, 2).Fetch(Work, 1).List(Inbox, 1);
        string report = Written(story, [.. Checker.Check(story.History).Where(static v => v.Promise == "lost")]);
        Assert.Contains("violation 1, seed 17: lost: UID 2 of alice:M1 (mark a)", report);
        Assert.Contains("marks a are UIDs 2 of alice:M1", report);
        Assert.Contains("all of alice:M1: 1", report);
        Assert.DoesNotContain("mark b", report);
        Assert.Contains("session 1, alice at 127.0.0.1:1143", report);
        Assert.Contains("    S: A1 OK", report);
    }

    [Fact]
    public void Many_violations_are_counted_and_each_promise_is_told_first()
    {
        Violation[] violations = [.. Enumerable.Range(1, 20).Select(static n => new Violation("lost", $"UID {n}", [])), new Violation("twice", "mark a", [])];
        string report = Written(new Story(), violations, most: 3);
        Assert.Contains("violation 2, seed 17: twice", report);
        Assert.EndsWith($"and 18 more: 18 lost{Environment.NewLine}", report);
    }
}
