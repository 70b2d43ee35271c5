using MailCluster.Consistency.Checks;
using MailCluster.Consistency.History;
using Xunit;
using static MailCluster.Tests.Unit.Consistency.Checks.Story;
using static MailCluster.Tests.Unit.Consistency.Checks.Verdict;

namespace MailCluster.Tests.Unit.Consistency.Checks;

/// <summary>Lost, late, twice and back again: each small history breaks one promise, and its neighbour, which differs in one operation, breaks none.</summary>
public sealed class MembershipTests
{
    [Fact]
    public void An_appended_message_is_in_every_later_listing()
    {
        Broken("lost", new Story().Append(Inbox, "a", 1).List(Inbox));
        Fine(new Story().Append(Inbox, "a", 1).List(Inbox, 1));
    }

    [Fact]
    public void A_listing_that_began_before_the_answer_need_not_have_it() =>
        Fine(new Story().At(300, 330).Done(new Append(Inbox, "", [Message("a")], [1])).At(320, 350).List(Inbox));

    [Fact]
    public void What_may_have_been_expunged_may_be_missing()
    {
        Fine(new Story().Append(Inbox, "a", 1).Store(Inbox, StoreKind.Add, @"\Deleted", 1).Lost(new Expunge(Inbox, null)).List(Inbox));
        Fine(new Story().Append(Inbox, "a", 1).Lost(Storing(Inbox, StoreKind.Add, @"\Deleted", 1)).Expunge(Inbox).List(Inbox));
        Fine(new Story().Append(Inbox, "a", 1, @"\Deleted").Refused(new Expunge(Inbox, null), "UNAVAILABLE").List(Inbox, 1).List(Inbox));
    }

    [Fact]
    public void An_expunge_takes_only_what_can_be_deleted()
    {
        Broken("lost", new Story().Append(Inbox, "a", 1).Expunge(Inbox).List(Inbox));
        Broken("lost", new Story().Append(Inbox, "a", 1, @"\Deleted").Store(Inbox, StoreKind.Remove, @"\Deleted", 1).Expunge(Inbox).List(Inbox));
        Broken("lost", new Story().Append(Inbox, "a", 1, @"\Deleted").Refused(new Expunge(Inbox, null)).List(Inbox));
    }

    [Fact]
    public void What_POP3_removes_goes_whatever_its_flags()
    {
        Fine(new Story().Append(Inbox, "a", 1).Done(new Remove(Inbox, Uids(1))).List(Inbox));
        Fine(new Story().Append(Inbox, "a", 1).Lost(new Remove(Inbox, Uids(1))).List(Inbox, 1).List(Inbox));
        Fine(new Story().Append(Inbox, "a", 1).Refused(new Remove(Inbox, Uids(1)), "UNAVAILABLE").List(Inbox));
        // What nobody read may have been the delivery; what somebody read was another message.
        Fine(new Story().Deliver("a").Done(new Remove(Inbox, Uids(1))).List(Inbox));
        Broken("lost", new Story().Append(Inbox, "b", 1).Deliver("a").Done(new Remove(Inbox, Uids(1))).List(Inbox));
        Broken("lost", new Story().Append(Inbox, "a", 1).Append(Inbox, "b", 2).Done(new Remove(Inbox, Uids(1))).List(Inbox));
        Broken("lost", new Story().Append(Inbox, "a", 1).Refused(new Remove(Inbox, Uids(1))).List(Inbox));
        Broken("resurrected", new Story().Append(Inbox, "a", 1).Done(new Remove(Inbox, Uids(1))).List(Inbox, 1));
    }

    [Fact]
    public void A_lost_unflagging_leaves_both_open() =>
        Fine(new Story().Append(Inbox, "a", 1, @"\Deleted").Lost(Storing(Inbox, StoreKind.Remove, @"\Deleted", 1)).Expunge(Inbox).List(Inbox));

    [Fact]
    public void What_is_gone_stays_away()
    {
        Broken("resurrected", new Story().Append(Inbox, "a", 1, @"\Deleted").Done(new Expunge(Inbox, null), at => new SeenGone(at, Inbox, Uids(1))).List(Inbox, 1));
        Broken("resurrected", new Story().Append(Inbox, "a", 1, @"\Deleted").Expunge(Inbox).List(Inbox, 1));
        Broken("resurrected", new Story().Append(Inbox, "a", 1, @"\Deleted").Lost(new Expunge(Inbox, null)).List(Inbox).List(Inbox, 1));
        Fine(new Story().Append(Inbox, "a", 1, @"\Deleted").Lost(new Expunge(Inbox, null)).List(Inbox, 1).List(Inbox));
    }

    [Fact]
    public void A_stale_listing_is_told_from_a_loss() => Broken("stale-read", new Story().Append(Inbox, "a", 1).List(Inbox).List(Inbox, 1));

    [Fact]
    public void A_stale_listing_passes_while_the_owner_was_in_doubt() =>
        Assert.Empty(Checker.Check(new Story().At(300, 310).Append(Inbox, "a", 1).At(320, 330).List(Inbox).List(Inbox, 1).History, [new Doubt(290, 335)]));

    [Fact]
    public void A_move_leaves_one()
    {
        Broken("resurrected", new Story().Append(Inbox, "a", 1).Move(Inbox, Work, 1, 1).List(Inbox, 1));
        Broken("lost", new Story().Append(Inbox, "a", 1).Move(Inbox, Work, 1, 1).List(Work));
        Fine(new Story().Append(Inbox, "a", 1).Move(Inbox, Work, 1, 1).List(Inbox).List(Work, 1));
    }

    [Fact]
    public void A_move_without_an_answer_leaves_one_all_the_same()
    {
        Broken("resurrected", new Story().Append(Inbox, "a", 1).MoveLost(Inbox, Work, 1).Fetch(Work, 1, mark: "a").List(Inbox, 1));
        Broken("lost", new Story().Append(Inbox, "a", 1).MoveLost(Inbox, Work, 1).List(Inbox).List(Work));
        Fine(new Story().Append(Inbox, "a", 1).MoveLost(Inbox, Work, 1).List(Inbox, 1).List(Work).List(Work, 1).Fetch(Work, 1, mark: "a").List(Inbox));
    }

    [Fact]
    public void A_replacement_comes_and_what_it_replaces_goes()
    {
        Broken("resurrected", new Story().Append(Inbox, "a", 1).Replace(Inbox, 1, Inbox, "b", 2).List(Inbox, 1, 2));
        Broken("lost", new Story().Append(Inbox, "a", 1).Replace(Inbox, 1, Work, "b", 1).List(Work));
        Fine(new Story().Append(Inbox, "a", 1).Replace(Inbox, 1, Work, "b", 1).List(Inbox).List(Work, 1));
    }

    [Fact]
    public void A_replacement_without_an_answer_is_there_wholly_or_not_at_all()
    {
        Broken("resurrected", new Story().Append(Inbox, "a", 1).ReplaceLost(Inbox, 1, Work, "b").Fetch(Work, 1, mark: "b").List(Inbox, 1));
        Broken("lost", new Story().Append(Inbox, "a", 1).ReplaceLost(Inbox, 1, Work, "b").List(Inbox).List(Work));
        Broken("twice", new Story().Append(Inbox, "a", 1).ReplaceLost(Inbox, 1, null, "b").Fetch(Inbox, 2, mark: "b").Fetch(Inbox, 3, mark: "b"));
        Fine(new Story().Append(Inbox, "a", 1).ReplaceLost(Inbox, 1, Work, "b").List(Inbox, 1).List(Work).List(Work, 1).Fetch(Work, 1, mark: "b").List(Inbox));
    }

    [Fact]
    public void A_delivery_that_nobody_saw_is_lost()
    {
        Broken("lost", new Story().Deliver("d").List(Inbox));
        Broken("lost", new Story().Deliver("d").Append(Inbox, "a", 2).List(Inbox, 2));
        Fine(new Story().Deliver("d").List(Inbox, 1));
        Fine(new Story().Lost(new Deliver("alice", Message("d"))).List(Inbox));
        Fine(new Story().Deliver("d").Lost(new Delete("INBOX", null)).List(Inbox));
    }

    [Fact]
    public void A_retry_stores_once()
    {
        Broken("twice", new Story().Append(Inbox, "a", 1).List(Inbox, 1, 2).Fetch(Inbox, 2, mark: "a"));
        Broken("twice", new Story().AppendLost("a").Fetch(Inbox, 1, mark: "a").Fetch(Inbox, 2, mark: "a"));
        Broken("twice", new Story().Deliver("d").Deliver("d").Fetch(Inbox, 1, mark: "d").Fetch(Inbox, 2, mark: "d"));
        Fine(new Story().Append(Inbox, "a", 1).Copy(Inbox, Inbox, 1, 2).List(Inbox, 1, 2).Fetch(Inbox, 2, mark: "a"));
        Fine(new Story().AppendLost("a").Fetch(Inbox, 1, mark: "a").MoveLost(Inbox, Work, 1).Fetch(Work, 1, mark: "a"));
    }

    [Fact]
    public void What_was_refused_is_nowhere()
    {
        Broken("twice", new Story().Refused(new Append(Inbox, "", [Message("a")], []), "OVERQUOTA").Fetch(Inbox, 1, mark: "a"));
        Fine(new Story().Refused(new Append(Inbox, "", [Message("a")], []), "UNAVAILABLE").Fetch(Inbox, 1, mark: "a"));
    }

    [Fact]
    public void A_mailbox_that_was_deleted_took_its_messages()
    {
        Fine(new Story().Append(Work, "a", 1).Lost(new Delete("Work", Work)).List(Work));
        Fine(new Story().Append(Work, "a", 1).Done(new Rename("Work", "Old")).Lost(new Delete("Old", null)).List(Work));
        Broken("lost", new Story().Append(Work, "a", 1).Done(new Delete("Other", null)).List(Work));
    }
}
