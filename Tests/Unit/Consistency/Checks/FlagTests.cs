using MailCluster.Consistency.History;
using Xunit;
using static MailCluster.Tests.Unit.Consistency.Checks.Story;
using static MailCluster.Tests.Unit.Consistency.Checks.Verdict;

namespace MailCluster.Tests.Unit.Consistency.Checks;

/// <summary>Flags as registers, versions by modseq, conditional STOREs, QRESYNC.</summary>
public sealed class FlagTests
{
    private static Story One(params string[] flags) => new Story().Append(Inbox, "a", 1, flags);

    [Fact]
    public void What_was_told_before_a_command_may_be_of_any_time_before() => Fine(
        new Story().Append(Inbox, "a", 1).At(300, 310).Store(Inbox, StoreKind.Add, "x", 1)
            .At(320, 330).Done(new Read("NOOP", Inbox), static _ => new SeenMessage(290, Inbox, 1, null, Flags(), null)));

    [Fact]
    public void An_acknowledged_STORE_is_read()
    {
        Broken("flags", One().Store(Inbox, StoreKind.Add, "x", 1).Fetch(Inbox, 1, Flags()));
        Broken("flags", One("x").Store(Inbox, StoreKind.Replace, "y", 1).Fetch(Inbox, 1, Flags("x", "y")));
        Broken("flags", One().Fetch(Inbox, 1, Flags("x")));
        Broken("flags", One("x").Fetch(Inbox, 1, Flags()));
        Fine(One("x").Store(Inbox, StoreKind.Replace, "y", 1).Fetch(Inbox, 1, Flags("Y")));
        Fine(One().At(300, 330).Store(Inbox, StoreKind.Add, "x", 1).At(310, 320).Fetch(Inbox, 1, Flags()).At(315, 325).Fetch(Inbox, 1, Flags("x")));
    }

    [Fact]
    public void A_STORE_without_an_answer_may_come_late()
    {
        Fine(One().Lost(Storing(Inbox, StoreKind.Add, "x", 1)).Store(Inbox, StoreKind.Remove, "x", 1).Fetch(Inbox, 1, Flags()).Fetch(Inbox, 1, Flags("x")));
        Broken("flags", One().Refused(Storing(Inbox, StoreKind.Add, "x", 1)).Fetch(Inbox, 1, Flags("x")));
        Fine(One().Refused(Storing(Inbox, StoreKind.Add, "x", 1), "UNAVAILABLE").Fetch(Inbox, 1, Flags("x")));
        Broken("flags", One().Store(Inbox, StoreKind.Add, "x", 1).Store(Inbox, StoreKind.Remove, "x", 1).Fetch(Inbox, 1, Flags("x")));
    }

    [Fact]
    public void Searches_read_flags_too()
    {
        Broken("flags", One().Store(Inbox, StoreKind.Add, @"\Seen", 1).Search(Inbox, @"\Seen"));
        Broken("flags", One().Search(Inbox, @"\Seen", 1));
        Fine(One(@"\Seen").Search(Inbox, @"\Seen", 1));
        Fine(One(@"\Seen").MoveLost(Inbox, Work, 1).Search(Inbox, @"\Seen"));
    }

    [Fact]
    public void A_copy_has_the_flags_of_its_source()
    {
        Broken("flags", One("x").Copy(Inbox, Work, 1, 1).Fetch(Work, 1, Flags()));
        Fine(One("x").Lost(Storing(Inbox, StoreKind.Remove, "x", 1)).Copy(Inbox, Work, 1, 1).Fetch(Work, 1, Flags()));
        Broken("lost", One().Copy(Inbox, Work, 1, 1).Expunge(Work).List(Work));
    }

    [Fact]
    public void Modseq_determines_flags() =>
        Broken("flags", One().Lost(Storing(Inbox, StoreKind.Add, "x", 1)).Fetch(Inbox, 1, Flags(), 5).Fetch(Inbox, 1, Flags("x"), 5));

    [Fact]
    public void A_conditional_STORE_changes_nothing_that_has_changed()
    {
        Story Twice(params uint[] modified) => One().Fetch(Inbox, 1, Flags(), 5)
            .Done(Storing(Inbox, StoreKind.Add, "x", 1, 5)).Done(Storing(Inbox, StoreKind.Add, "y", 1, 5, modified));
        Broken("unchangedsince", Twice());
        Fine(Twice(1));
        // The first changed nothing.
        Fine(One("x").Fetch(Inbox, 1, Flags("x"), 5).Done(Storing(Inbox, StoreKind.Add, "x", 1, 5)).Done(Storing(Inbox, StoreKind.Add, "y", 1, 5)));
        Broken("unchangedsince", One().Store(Inbox, StoreKind.Add, "x", 1).Fetch(Inbox, 1, Flags("x"), 6).Done(Storing(Inbox, StoreKind.Add, "y", 1, 5)));
        Fine(One().Fetch(Inbox, 1, Flags(), 5).Lost(Storing(Inbox, StoreKind.Add, "x", 1, 5)).Done(Storing(Inbox, StoreKind.Add, "y", 1, 5)));
    }

    [Fact]
    public void Who_shares_a_mailbox_has_an_own_Seen()
    {
        Story Shared(StoreKind kind) => One("x").Store(Inbox, StoreKind.Add, @"\Seen", 1).As("bob").Fetch(Inbox, 1, Flags("x")).Store(Inbox, kind, @"\Seen", 1);
        Fine(Shared(StoreKind.Add).Fetch(Inbox, 1, Flags("x", @"\Seen")).As("alice").Fetch(Inbox, 1, Flags("x", @"\Seen")));
        Fine(Shared(StoreKind.Remove).Fetch(Inbox, 1, Flags("x")).Search(Inbox, @"\Seen").As("alice").Search(Inbox, @"\Seen", 1));
        Broken("flags", Shared(StoreKind.Add).Fetch(Inbox, 1, Flags("x")));
        Broken("flags", Shared(StoreKind.Remove).As("alice").Fetch(Inbox, 1, Flags("x")));
        // Also before anybody has read there.
        Fine(new Story().As("bob").Append(Inbox, "a", 1, @"\Seen").As("alice").Fetch(Inbox, 1, Flags()));
        Fine(One("x").As("bob").Store(Inbox, StoreKind.Add, @"\Seen", 1).As("alice").Fetch(Inbox, 1, Flags("x")));
        // All else is everybody's.
        Broken("flags", Shared(StoreKind.Add).Store(Inbox, StoreKind.Remove, "x", 1).As("alice").Fetch(Inbox, 1, Flags("x", @"\Seen")));
        Fine(Shared(StoreKind.Add).Fetch(Inbox, 1, Flags("x", @"\Seen"), 9).As("alice").Store(Inbox, StoreKind.Remove, @"\Seen", 1).Fetch(Inbox, 1, Flags("x"), 9));
    }

    [Fact]
    public void QRESYNC_names_what_is_gone()
    {
        Story Gone(params uint[] named) => One(@"\Deleted").Fetch(Inbox, 1, Flags(@"\Deleted"), 5).Done(new Expunge(Inbox, null), at => new SeenGone(at, Inbox, Uids(1)))
            .QResync(Inbox, 5, null, at => new SeenVanished(at, Inbox, 5, Uids(named)));
        Broken("qresync", Gone());
        Fine(Gone(1));
        Fine(Gone(1, 7, 8));
        Broken("qresync", One().QResync(Inbox, 5, null, at => new SeenVanished(at, Inbox, 5, Uids(1))).List(Inbox, 1));
    }

    [Fact]
    public void QRESYNC_tells_what_has_changed()
    {
        Story Changed(long modSeq, params uint[] known) => One("x").Fetch(Inbox, 1, Flags("x"), 9)
            .QResync(Inbox, 5, Uids(known), at => new SeenMessage(at, Inbox, 1, null, Flags("x"), modSeq));
        Fine(Changed(9, 1));
        Broken("qresync", One("x").Fetch(Inbox, 1, Flags("x"), 9).QResync(Inbox, 5, Uids(1)));
        Fine(One("x").Fetch(Inbox, 1, Flags("x"), 9).QResync(Inbox, 5, Uids(2)));
        Fine(One("x").Fetch(Inbox, 1, Flags("x"), 9).QResync(Inbox, 9, null));
    }
}
