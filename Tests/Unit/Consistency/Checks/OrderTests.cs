using MailCluster.Consistency.History;
using Xunit;
using static MailCluster.Tests.Unit.Consistency.Checks.Story;
using static MailCluster.Tests.Unit.Consistency.Checks.Verdict;

namespace MailCluster.Tests.Unit.Consistency.Checks;

/// <summary>UIDs, modseqs, UIDVALIDITY and counts.</summary>
public sealed class OrderTests
{
    [Fact]
    public void A_smaller_UID_does_not_appear_late()
    {
        Broken("uid-order", new Story().Append(Inbox, "b", 2).List(Inbox, 2).AppendLost("a").List(Inbox, 1, 2));
        Broken("uid-order", new Story().At(300, 400).Done(new Append(null, "INBOX", [Message("a")], [])).At(310, 320).Append(Inbox, "b", 2)
            .At(330, 340).List(Inbox, 2).List(Inbox, 1, 2));
        Fine(new Story().At(300, 400).Append(Inbox, "a", 1).At(310, 320).Append(Inbox, "b", 2).At(330, 340).List(Inbox, 1, 2));
    }

    [Fact]
    public void What_is_sent_later_gets_a_larger_UID()
    {
        Broken("uid-order", new Story().Append(Inbox, "a", 2).Append(Inbox, "b", 1));
        Fine(new Story().At(300, 330).Append(Inbox, "a", 2).At(310, 340).Append(Inbox, "b", 1));
    }

    [Fact]
    public void UIDNEXT_is_above_all_and_never_falls()
    {
        // What NOTIFY tells has been so; it may be long ago.
        Broken("uid-order", new Story().Told(Inbox, next: 9).Select(Inbox, "INBOX", next: 8));
        Fine(new Story().Select(Inbox, "INBOX", next: 9).Told(Inbox, next: 8));
        Broken("uid-order", new Story().Append(Inbox, "a", 5).Select(Inbox, "INBOX", next: 5, messages: 1));
        Broken("uid-order", new Story().Select(Inbox, "INBOX", next: 9).Select(Inbox, "INBOX", next: 8));
        Broken("uid-order", new Story().Select(Inbox, "INBOX", next: 9).Append(Inbox, "a", 8));
        Fine(new Story().Append(Inbox, "a", 5).Select(Inbox, "INBOX", next: 6, messages: 1).Append(Inbox, "b", 6));
    }

    [Fact]
    public void A_UID_is_one_message_for_ever()
    {
        Broken("uid-reused", new Story().Append(Inbox, "a", 1).Fetch(Inbox, 1, mark: "b").Lost(new Append(Inbox, "", [Message("b")], [])));
        Broken("uid-reused", new Story().Append(Inbox, "a", 1).Copy(Inbox, Work, 1, 1).Append(Inbox, "b", 2).Fetch(Work, 1, mark: "b"));
    }

    [Fact]
    public void HIGHESTMODSEQ_never_falls()
    {
        Broken("modseq-order", new Story().Told(Inbox, highest: 9).Select(Inbox, "INBOX", highest: 8));
        Broken("modseq-order", new Story().Select(Inbox, "INBOX", highest: 9).Select(Inbox, "INBOX", highest: 8));
        Broken("modseq-order", new Story().Append(Inbox, "a", 1).Fetch(Inbox, 1, Flags(), 9).Select(Inbox, "INBOX", 2, 1, highest: 8));
        Fine(new Story().At(300, 320).Select(Inbox, "INBOX", highest: 9).At(310, 330).Select(Inbox, "INBOX", highest: 8));
    }

    [Fact]
    public void A_read_shows_the_last_version_that_was_committed()
    {
        Story Read(long second) => new Story().Append(Inbox, "a", 1).Lost(Storing(Inbox, StoreKind.Add, "x", 1)).Fetch(Inbox, 1, modSeq: 9).Fetch(Inbox, 1, modSeq: second);
        Broken("stale-read", Read(8));
        Fine(Read(9));
        // News may have been on their way.
        Fine(new Story().Append(Inbox, "a", 1).Lost(Storing(Inbox, StoreKind.Add, "x", 1)).Fetch(Inbox, 1, modSeq: 9)
            .Done(new Read("NOOP", Inbox), static at => new SeenMessage(at, Inbox, 1, null, null, 8, MayBeNews: true)));
        // Committed no later than the modseq of another message that was told.
        Broken("stale-read", new Story().Append(Inbox, "a", 1).Append(Inbox, "b", 2).Fetch(Inbox, 2, modSeq: 9).Fetch(Inbox, 1, modSeq: 5).Fetch(Inbox, 1, modSeq: 8));
        Fine(new Story().Append(Inbox, "a", 1).Append(Inbox, "b", 2).Fetch(Inbox, 2, modSeq: 7).Fetch(Inbox, 1, modSeq: 5).Fetch(Inbox, 1, modSeq: 8));
    }

    [Fact]
    public void What_may_be_gone_may_be_told_as_it_was() =>
        Fine(new Story().Append(Inbox, "a", 1).Fetch(Inbox, 1, Flags(), 8).Store(Inbox, StoreKind.Add, "x", 1).Fetch(Inbox, 1, Flags("x"), 9).MoveLost(Inbox, Work, 1).Fetch(Inbox, 1, Flags(), 8));

    [Fact]
    public void UIDVALIDITY_of_a_name_only_rises()
    {
        Broken("uidvalidity", new Story().Select(Inbox, "INBOX", validity: 6));
        Broken("uidvalidity", new Story().Done(new Delete("Work", Work)).Select(new MailboxRef("alice", "M3"), "Work", validity: 7));
        Fine(new Story().Done(new Delete("Work", Work)).Select(new MailboxRef("alice", "M3"), "Work", validity: 8));
    }

    [Fact]
    public void Counts_agree_with_what_is_there()
    {
        Broken("counts", new Story().Append(Inbox, "a", 1).Select(Inbox, "INBOX", 2, messages: 0));
        Broken("counts", new Story().Append(Inbox, "a", 1).Select(Inbox, "INBOX", 2, messages: 2));
        Fine(new Story().Append(Inbox, "a", 1).AppendLost("b").Select(Inbox, "INBOX", 3, messages: 2));
        Fine(new Story().Append(Inbox, "a", 1, @"\Deleted").Lost(new Expunge(Inbox, null)).Select(Inbox, "INBOX", 2, messages: 0));
    }

    [Fact]
    public void All_agree_in_the_end()
    {
        Story Settle(params uint[] second) => new Story().Append(Inbox, "a", 1).Deliver("b")
            .By(1).Done(new Read("settle", Inbox), at => new SeenAll(at, Inbox, Uids(1, 2), null))
            .By(2).Done(new Read("settle", Inbox), at => new SeenAll(at, Inbox, Uids(second), null));
        Broken("converge", Settle(1));
        Fine(Settle(1, 2));
        Story Flagged(string second) => new Story().Append(Inbox, "a", 1).Lost(Storing(Inbox, StoreKind.Add, "x", 1))
            .Done(new Read("settle", Inbox), at => new SeenMessage(at, Inbox, 1, "a", Flags(), null))
            .Done(new Read("settle", Inbox), at => new SeenMessage(at, Inbox, 1, "a", Flags(second), null));
        Broken("converge", Flagged("x"));
    }

    [Fact]
    public void What_is_wrong_in_itself()
    {
        Broken("numbers", new Story().Done(new Read("NOOP", Inbox), at => new SeenBreach(at, Inbox, "numbers", "EXPUNGE 9 of 3")));
        Broken("bytes", new Story().Append(Inbox, "a", 1).Done(new Read("FETCH", Inbox), at => new SeenMessage(at, Inbox, 1, "a", null, null, Whole: false)));
        Broken("answer", new Story().Refused(new Read("NOOP", null), "SERVERBUG"));
    }
}
