using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using Xunit;

namespace MailCluster.Tests.Unit.Consistency;

/// <summary>The checker's reader of responses takes IMAP and nothing else.</summary>
public sealed class ResponseParserTests
{
    [Fact]
    public void Status_responses_have_codes()
    {
        Response response = ModelStory.Parse("A7 OK [COPYUID 38505 304,319:320 3956:3958] Done");
        Assert.Equal(("A7", "OK", "COPYUID", "Done"), (response.Tag, response.Name, response.Code?.Name, response.Text));
        Assert.Equal(["38505", "304,319:320", "3956:3958"], response.Code!.Arguments.Select(static a => a.Text));
        Assert.Equal("F123", ModelStory.Parse("* OK [MAILBOXID (F123)] x").Code!.Arguments[0].Items[0].Text);
        Assert.Equal(["\\Seen", "\\*"], ModelStory.Parse(@"* OK [PERMANENTFLAGS (\Seen \*)] x").Code!.Arguments[0].Items.Select(static t => t.Text));
    }

    [Fact]
    public void Fetch_has_items_strings_and_literals()
    {
        Response response = ModelStory.Parse(
            "* 12 FETCH (UID 7 FLAGS (\\Seen $x) MODSEQ (624140003) BODY[HEADER.FIELDS (X-Check)] {13}\r\nX-Check: m\r\n\r BODY[]<0> NIL ENVELOPE (\"a\\\"b\" ((NIL NIL \"c\" \"d\")(NIL NIL \"e\" \"f\"))))");
        FetchItems items = FetchItems.Read(response);
        Assert.Equal((12u, 7u, 624140003L, "m"), (response.Number!.Value, items.Uid!.Value, items.ModSeq!.Value, items.Mark));
        Assert.Equal(new FlagSet([@"\seen", "$X"]), items.Flags);
        Assert.Equal("a\"b", response.Arguments[0].Items[^1].Items[0].Text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("* 12 FETCH (UID 7")]
    [InlineData("* 12 FETCH (UID 7))")]
    [InlineData("* LIST () \"/\" \"a")]
    [InlineData("* SEARCH 1 2 )")]
    [InlineData("* OK [UIDNEXT 3 x")]
    [InlineData("A1 FETCH (UID 7)")]
    [InlineData("* LIST () \"/\"  {3}")]
    public void What_is_no_imap_is_refused(string line) => Assert.Throws<FormatException>(() => ModelStory.Parse(line));

    [Theory]
    [InlineData("* 1 FETCH UID 7")]
    [InlineData("* 1 FETCH (UID 0)")]
    [InlineData("* 1 FETCH (MODSEQ 5)")]
    [InlineData("* 1 FETCH (FLAGS (\"x\"))")]
    public void Fetch_that_says_nothing_sensible_is_refused(string line) => Assert.Throws<FormatException>(() => FetchItems.Read(ModelStory.Parse(line)));

    [Fact]
    public void Sets_keep_the_order_that_they_have()
    {
        Assert.Equal([304u, 319u, 320u, 5u], Sets.Members("304,319:320,5"));
        Assert.Null(Sets.Members("1:*"));
        Assert.Null(Sets.Parse("0"));
        Assert.Equal("1:4", Sets.Parse("3:1,4")!.ToString());
    }
}
