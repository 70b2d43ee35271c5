using MailCluster.Consistency.History;
using Xunit;
using static MailCluster.Tests.Unit.Consistency.Checks.Story;
using static MailCluster.Tests.Unit.Consistency.Checks.Verdict;

namespace MailCluster.Tests.Unit.Consistency.Checks;

/// <summary>Annotations of messages as registers, and which of them go along with copies (RFC 5257).</summary>
public sealed class AnnotationTests
{
    private const string Entry = "/comment";

    private static readonly string _shared = Annotation.Shared(Entry), _alices = Annotation.Private(Entry, "alice"), _bobs = Annotation.Private(Entry, "bob");

    private static Story One() => new Story().Append(Inbox, "a", 1);

    private static Annotate Annotating(string name, string? value, uint uid = 1, params uint[] modified) => new(Inbox, Uids(uid), [new Annotation(name, value)], Uids(modified));

    private static Story Told(Story story, string name, string? value, uint uid = 1, string mailbox = "M1") =>
        story.Done(new Read("FETCH", Inbox), at => new SeenAnnotations(at, new MailboxRef("alice", mailbox), uid, [new Annotation(name, value)]));

    [Fact]
    public void An_acknowledged_STORE_is_read()
    {
        Broken("annotations", Told(One().Done(Annotating(_shared, "x")), _shared, null));
        Broken("annotations", Told(One().Done(Annotating(_shared, "x")).Done(Annotating(_shared, "y")), _shared, "x"));
        Broken("annotations", Told(One().Done(Annotating(_shared, "x")).Done(Annotating(_shared, null)), _shared, "x"));
        Broken("annotations", Told(One(), _shared, "x"));
        Fine(Told(One().Done(Annotating(_shared, "x")).Done(Annotating(_shared, null)).Done(Annotating(_shared, "z")), _shared, "z"));
        Fine(Told(One().Done(Annotating(_shared, "x")).Done(Annotating(_shared, "y", 1, 1)), _shared, "x"));
        Broken("annotations", Told(One().Done(Annotating(_shared, "x")).Done(Annotating(_shared, "y", 1, 1)), _shared, "y"));
        Fine(One().At(300, 340).Done(Annotating(_shared, "x")).At(310, 320).Done(new Read("FETCH", Inbox), static at => new SeenAnnotations(at, Inbox, 1, [new Annotation(_shared, null)]))
            .At(321, 330).Done(new Read("FETCH", Inbox), static at => new SeenAnnotations(at, Inbox, 1, [new Annotation(_shared, "x")])));
    }

    [Fact]
    public void A_STORE_without_an_answer_may_come_late()
    {
        Fine(Told(Told(One().Lost(Annotating(_shared, "x")).Done(Annotating(_shared, "y")), _shared, "y"), _shared, "x"));
        Fine(Told(One().Refused(Annotating(_shared, "x"), "UNAVAILABLE"), _shared, "x"));
        Fine(Told(One().Refused(Annotating(_shared, "x"), "MODIFIED"), _shared, "x"));
        Broken("annotations", Told(One().Refused(Annotating(_shared, "x"), "OVERQUOTA"), _shared, "x"));
    }

    [Fact]
    public void A_message_has_what_it_came_with()
    {
        Story Made(params Annotation[] with) => new Story().Done(new Append(Inbox, "", [Message("a") with { Annotations = with }], [1]));
        Fine(Told(Told(Made(new Annotation(_shared, "x")), _shared, "x"), _alices, null));
        Broken("annotations", Told(Made(new Annotation(_shared, "x")), _shared, null));
        Broken("annotations", Told(Made(), _shared, "x"));
    }

    [Fact]
    public void A_copy_has_what_who_copies_may_know_of()
    {
        Story Copied(bool move) => move
            ? One().Done(Annotating(_shared, "s")).Done(Annotating(_alices, "a")).As("bob").Done(Annotating(_bobs, "b")).As("alice").Move(Inbox, Work, 1, 1)
            : One().Done(Annotating(_shared, "s")).Done(Annotating(_alices, "a")).As("bob").Done(Annotating(_bobs, "b")).As("alice").Copy(Inbox, Work, 1, 1);
        foreach (bool move in (bool[])[false, true])
        {
            Fine(Told(Told(Told(Copied(move), _shared, "s", mailbox: "M2"), _alices, "a", mailbox: "M2").As("bob"), _bobs, null, mailbox: "M2"));
            Broken("annotations", Told(Copied(move), _shared, null, mailbox: "M2"));
            Broken("annotations", Told(Copied(move), _alices, null, mailbox: "M2"));
            Broken("annotations", Told(Copied(move).As("bob"), _bobs, "b", mailbox: "M2"));
        }
        // Of the original as it was then.
        Broken("annotations", Told(Copied(move: false).Done(Annotating(_shared, "later")), _shared, "later", mailbox: "M2"));
        Fine(Told(One().Lost(Annotating(_shared, "s")).Copy(Inbox, Work, 1, 1), _shared, "s", mailbox: "M2"));
        Fine(Told(One().Lost(Annotating(_shared, "s")).Copy(Inbox, Work, 1, 1), _shared, null, mailbox: "M2"));
        // What is gone has none.
        Fine(Told(One().Done(Annotating(_shared, "s")).Move(Inbox, Work, 1, 1), _shared, null));
    }

    [Fact]
    public void In_the_end_all_are_told_the_same()
    {
        Story Settled(string? one, string? other) => One().Lost(Annotating(_shared, "s"))
            .Done(new Read("settle", Inbox), at => new SeenAnnotations(at, Inbox, 1, [new Annotation(_shared, one)]))
            .By(2).Done(new Read("settle", Inbox), at => new SeenAnnotations(at, Inbox, 1, [new Annotation(_shared, other)]));
        Fine(Settled("s", "s"));
        Broken("converge", Settled("s", null));
    }
}
