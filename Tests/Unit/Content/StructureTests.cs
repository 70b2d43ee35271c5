using System.Text;
using MailCluster.Contracts.Content;
using MailCluster.Storage.Content;
using MailCluster.Tests.Support.Messages;
using Xunit;

namespace MailCluster.Tests.Unit.Content;

public class StructureTests
{
    private static string Body(byte[] message, BodyPart part) => Encoding.Latin1.GetString(Compare.Body(message, part));

    [Fact]
    public void Every_trouble_has_a_structure_whose_ranges_fit()
    {
        Assert.All(TroubleMessages.All, trouble =>
        {
            var content = ContentParser.Parse(trouble.Message);
            Compare.Invariants(trouble.Message, content);
            Assert.Equal(content.Encode(), MessageContent.Decode(content.Encode()).Encode());
        });
    }

    [Fact]
    public async Task Reading_asynchronously_gives_the_same()
    {
        foreach (var (_, message) in TroubleMessages.All)
        {
            var content = await ContentParser.ParseAsync(new MemoryStream(message), TestContext.Current.CancellationToken);
            Assert.Equal(ContentParser.Parse(message).Encode(), content.Encode());
        }
    }

    [Fact]
    public void Nested_multiparts_are_told_apart()
    {
        var message = TroubleMessages.NestedMultiparts;
        var root = ContentParser.Parse(message).Root;
        Assert.Equal(2, root.Parts.Count);
        var inner = root.Parts[0];
        Assert.Equal(["plain text", "<p>html</p>\r\n"], inner.Parts.Select(part => Body(message, part)));
        Assert.Equal("iVBORw0KGgo=", Body(message, root.Parts[1]));
        Assert.Equal("a b.png", root.Parts[1].Parameter("NAME"u8).ToString());
        Assert.Equal("attachment", root.Parts[1].Disposition.ToString());
        Assert.Equal("<png@example>", root.Parts[1].Id.ToString());
        Assert.Equal("Content-Type: text/plain\r\n\r\n", Encoding.Latin1.GetString(Compare.Header(message, inner.Parts[0])));
    }

    [Fact]
    public void Parts_of_a_digest_are_messages()
    {
        var message = TroubleMessages.Digest;
        var root = ContentParser.Parse(message).Root;
        Assert.All(root.Parts, part => Assert.Equal(BodyPartKind.Message, part.Kind));
        Assert.Equal("first", root.Parts[0].Envelope!.Subject.ToString());
        Assert.Equal("body one", Body(message, root.Parts[0].Parts[0]));
        Assert.Equal(["inner one", "<b>inner two</b>"], root.Parts[1].Parts[0].Parts.Select(part => Body(message, part)));
    }

    [Fact]
    public void A_missing_end_boundary_ends_with_what_is_around()
    {
        var message = TroubleMessages.EndBoundaryMissing;
        var root = ContentParser.Parse(message).Root;
        Assert.Equal(2, root.Parts.Count);
        Assert.Equal("first", Body(message, Assert.Single(root.Parts[0].Parts)));
        Assert.Equal("second, and no end", Body(message, root.Parts[1]));
    }

    [Fact]
    public void A_boundary_may_begin_like_another()
    {
        var message = TroubleMessages.BoundaryPrefix;
        var root = ContentParser.Parse(message).Root;
        Assert.Equal("one", Body(message, Assert.Single(root.Parts[0].Parts)));
        Assert.Equal("two\r\n--partial is text", Body(message, root.Parts[1]));
    }

    [Fact]
    public void A_boundary_line_with_a_colon_ends_a_header()
    {
        var message = TroubleMessages.ColonBoundary;
        var root = ContentParser.Parse(message).Root;
        Assert.Equal(["", "html"], root.Parts.Select(part => Body(message, part)));
        Assert.Equal(["plain", "html"], root.Parts.Select(part => part.Subtype.ToString()));
        Assert.Equal("a:b", root.Parameter("boundary"u8).ToString());
    }

    [Theory]
    [InlineData("Content-Type: multipart/mixed; boundary=b\r\n\r\nno part\r\n")]
    [InlineData("Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\ntext\r\n--b--\r\n")]
    public void A_multipart_without_parts_shows_one_empty_text(string message)
    {
        var part = Assert.Single(ContentParser.Parse(Encoding.Latin1.GetBytes(message)).Root.Parts);
        Assert.Equal(("text", "plain", 0L), (part.Type.ToString(), part.Subtype.ToString(), part.BodyLength));
    }

    [Fact]
    public void What_is_nested_too_deeply_is_one_opaque_leaf()
    {
        foreach (var message in new[] { TroubleMessages.Levels(200), TroubleMessages.MessageLevels(200) })
        {
            var part = ContentParser.Parse(message).Root;
            var depth = 0;
            for (; part.Kind != BodyPartKind.Leaf; depth++)
                part = part.Parts[0];
            Assert.Equal(MessageContent.MaxDepth, depth);
            Assert.Equal("application/octet-stream", $"{part.Type}/{part.Subtype}");
        }
    }

    [Fact]
    public void Parts_beyond_the_limit_are_one_opaque_leaf()
    {
        var message = TroubleMessages.Parts(20_000);
        var parts = ContentParser.Parse(message).Root.Parts;
        Assert.Equal(MessageContent.MaxParts, parts.Count);
        Assert.Equal("part 9999", Body(message, parts[^2]));
        Assert.StartsWith("\r\npart 10000\r\n--p\r\n", Body(message, parts[^1]));
        Assert.EndsWith("part 20000\r\n--p--\r\n", Body(message, parts[^1]));
    }

    [Fact]
    public void A_header_field_without_end_ends_the_reading_but_not_the_header()
    {
        var message = TroubleMessages.LongHeader(3 * 1024 * 1024);
        var content = ContentParser.Parse(message);
        Assert.Equal("before", content.Envelope.Subject.ToString());
        Assert.Equal("the body\r\n", Body(message, content.Root));
        Assert.Equal(1, content.Root.Lines);
    }

    [Fact]
    public void Long_fields_are_left_out_of_the_stored_headers_but_what_follows_is_not()
    {
        var content = ContentParser.Parse(TroubleMessages.LongHeader(100 * 1024));
        Assert.True(content.HeadersTruncated);
        Assert.Equal(["Subject", "To"], content.Headers.Select(header => header.Name.ToString()));
        Assert.Equal("after", content.Envelope.To.Single().Mailbox.ToString());
    }

    [Fact]
    public void A_message_that_is_encoded_is_not_looked_into()
    {
        var message = TroubleMessages.All.Single(trouble => trouble.Name == "encoded message").Message;
        var root = ContentParser.Parse(message).Root;
        Assert.Equal(BodyPartKind.Message, root.Kind);
        Assert.Equal("base64", root.Parts.Single().Encoding.ToString());
        Assert.Equal(root.BodyLength, root.Parts.Single().BodyLength);
    }

    [Fact]
    public void Folding_is_taken_out_of_values()
    {
        var content = ContentParser.Parse(TroubleMessages.Folded);
        Assert.Equal("one two\tthree", content.Envelope.Subject.ToString());
        Assert.Equal("First Last", content.Envelope.From.Single().Name.ToString());
        Assert.Equal(["1@a", "2@b"], MessageIds.Of(content));
    }

    [Fact]
    public void A_byte_order_mark_is_no_part_of_the_first_field()
    {
        var content = ContentParser.Parse(TroubleMessages.All.Single(trouble => trouble.Name == "byte order mark").Message);
        Assert.Equal("marked", content.Envelope.Subject.ToString());
        Assert.Equal("Subject", content.Headers.Single().Name.ToString());
    }
}
