using MailCluster.Consistency.Checks;
using MailCluster.Consistency.History;
using Xunit;

namespace MailCluster.Tests.Unit.Consistency.Checks;

internal static class Verdict
{
    /// <summary>The checks find this, and what they cut out of the history shows it too.</summary>
    public static void Broken(string promise, Story story)
    {
        IReadOnlyList<Violation> found = Checker.Check(story.History);
        Violation violation = Assert.Single(found, v => v.Promise == promise);
        Assert.NotEmpty(violation.Involved);
        IReadOnlyList<Operation> cut = Shrinker.Shrink(story.History, violation);
        Assert.Contains(Checker.Check(cut), v => v.Promise == promise && v.Subject == violation.Subject);
    }

    public static void Fine(Story story) => Assert.Empty(Checker.Check(story.History));
}
