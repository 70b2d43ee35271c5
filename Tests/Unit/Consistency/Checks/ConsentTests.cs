using MailCluster.Consistency.History;
using Xunit;
using static MailCluster.Tests.Unit.Consistency.Checks.Story;
using static MailCluster.Tests.Unit.Consistency.Checks.Verdict;

namespace MailCluster.Tests.Unit.Consistency.Checks;

/// <summary>Two tenants, Alice's and Eve's, that share, and then do not.</summary>
public sealed class ConsentTests
{
    private const string Name = "Others/alice/INBOX";

    private static Consent Saying(bool given) => new(["alice", "bob"], ["eve"], given);

    private static Story Shared() => new Story().Append(Inbox, "a", 1).Done(Saying(true));

    private static Story Ended() => Shared().Done(Saying(false));

    [Fact]
    public void What_starts_after_the_end_sees_nothing()
    {
        Fine(Shared().As("eve").List(Inbox, 1));
        Broken("consent", Ended().As("eve").List(Inbox, 1));
        Broken("consent", Ended().As("eve").Fetch(Inbox, 1, Flags()));
        Fine(Ended().As("bob").List(Inbox, 1));
        Fine(Ended().Done(Saying(true)).As("eve").List(Inbox, 1));
        // Before it was answered, or where it was not.
        Fine(Shared().At(300, 320).Done(Saying(false)).At(310, 330).As("eve").List(Inbox, 1));
        Fine(Shared().Lost(Saying(false)).As("eve").List(Inbox, 1));
        Fine(Ended().Lost(Saying(true)).As("eve").List(Inbox, 1));
    }

    [Fact]
    public void What_starts_after_the_end_changes_nothing()
    {
        Append append = new(Inbox, Name, [Message("b")], [2]);
        Fine(Shared().As("eve").Done(append));
        Broken("consent", Ended().As("eve").Done(append));
        Fine(Ended().As("eve").Refused(append, "TRYCREATE"));
        Broken("consent", Ended().As("eve").Move(Inbox, new MailboxRef("eve", "M9"), 1, 1));
        Broken("consent", Ended().As("eve").Done(new Select(Name, Inbox, false, null)));
    }

    [Fact]
    public void Nobody_is_refused_while_they_share()
    {
        Select select = new(Name, null, false, null);
        Broken("consent", Shared().As("eve").Refused(select, "NONEXISTENT"));
        Broken("consent", Shared().As("eve").Refused(Storing(Inbox, StoreKind.Add, "x", 1), "NOPERM"));
        Broken("consent", Ended().Done(Saying(true)).As("eve").Refused(select, "NONEXISTENT"));
        Fine(Ended().As("eve").Refused(select, "NONEXISTENT"));
        Fine(Shared().At(300, 320).Done(Saying(false)).At(310, 330).As("eve").Refused(select, "NONEXISTENT"));
    }

    [Fact]
    public void Accounts_of_one_tenant_have_nothing_to_do_with_it()
    {
        Broken("consent", new Story().Append(Inbox, "a", 1).As("bob").Refused(Storing(Inbox, StoreKind.Add, "x", 1), "NOPERM"));
        Broken("consent", Ended().As("bob").Refused(Storing(Inbox, StoreKind.Add, "x", 1), "NOPERM"));
        Broken("consent", Ended().As("bob").Done(new Read("NOOP", Inbox), static at => new SeenEnd(at, Inbox, "[NOPERM] The mailbox is no longer shared")));
        Fine(Ended().As("eve").Done(new Read("NOOP", Inbox), static at => new SeenEnd(at, Inbox, "[NOPERM] The mailbox is no longer shared")));
    }
}
