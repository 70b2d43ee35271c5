using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Search;
using MailCluster.Storage.Content;
using MailCluster.Tests.Support;
using MailCluster.Tests.Support.Messages;
using Xunit;

namespace MailCluster.Tests.Unit.Content;

public class MessageTextTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static async Task<bool> Body(byte[] message, string value) =>
        (await MessageText.BodyContainsAsync(new MessageBytes(default, message), ContentParser.Parse(message).Root, [value], Collation.Unicode, Stop))[0];

    private static async Task<bool> Text(byte[] message, string value)
    {
        var bytes = new MessageBytes("Delivered-To: added@d\r\n"u8.ToArray(), message);
        var content = ContentParser.Parse(message);
        return (await MessageText.TextContainsAsync(bytes, content.Root, await MessageText.HeadersAsync(bytes, content, Stop), [value], Collation.Unicode, Stop))[0];
    }

    private static bool Header(byte[] message, string name, string value) =>
        MessageText.HeaderContains(ContentParser.Parse(message).Headers, name, value, Collation.Unicode);

    [Fact]
    public void Headers_match_decoded_and_in_any_case()
    {
        var message = "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?= =?iso-8859-1?Q?_caf=E9?=\r\nFrom: \"J\u00c9\" <a@b>\r\n\r\n"u8.ToArray();
        Assert.True(Header(message, "SUBJECT", "gr\u00dc\u00dfe CAF\u00c9"));
        Assert.True(Header(message, "from", "j\u00e9"));
        Assert.True(Header(message, "from", ""));
        Assert.False(Header(message, "to", ""));
        Assert.False(Header(message, "subject", "utf-8"));
        Assert.True(Header(TroubleMessages.EightBitHeader, "subject", "CAF\u00c9"));
        Assert.True(Header(TroubleMessages.EightBitHeader, "to", "gr\u00fc\u00dfe"));
    }

    [Fact]
    public async Task Bodies_match_without_transfer_encoding_and_charset()
    {
        Assert.True(await Body(TroubleMessages.NestedMultiparts, "PLAIN TEXT"));
        Assert.True(await Body(TroubleMessages.NestedMultiparts, "<p>html"));
        Assert.False(await Body(TroubleMessages.NestedMultiparts, "preamble"));
        Assert.False(await Body(TroubleMessages.NestedMultiparts, "iVBOR"));
        Assert.True(await Body(TroubleMessages.Lines("Content-Type: text/plain; charset=koi8-r", "Content-Transfer-Encoding: base64", "", "8NLJ18XU"), "\u043f\u0440\u0438\u0432\u0435\u0442"));
        Assert.True(await Body(TroubleMessages.Lines("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", "", "caf=C3=\r\n=A9 au=20lait"), "CAF\u00c9 AU LAIT"));
        Assert.True(await Body(TroubleMessages.Lines("", "caf\u00e9 without a charset"), "caf\u00e9"));
        Assert.True(await Body(TroubleMessages.Lines("Content-Type: text/plain; charset=x-nobody", "", "still found"), "still"));
        Assert.True(await Body(TroubleMessages.Digest, "Subject: SECOND"));
    }

    [Fact]
    public async Task Text_is_header_and_body()
    {
        Assert.True(await Text(TroubleMessages.Plain, "afternoon MEETING"));
        Assert.True(await Text(TroubleMessages.Plain, "hello joe"));
        Assert.True(await Text(TroubleMessages.Plain, "ADDED@d"));
        Assert.True(await Text(TroubleMessages.Plain, ""));
        Assert.False(await Text(TroubleMessages.Plain, "evening"));
        Assert.True(await Text(TroubleMessages.LongHeader(100 * 1024), "xxxxxxxxxx"));
    }

    [Fact]
    public async Task Text_is_in_the_headers_of_parts_too()
    {
        Assert.True(await Text(TroubleMessages.NestedMultiparts, "filename=\"A b.png"));
        Assert.True(await Text(TroubleMessages.NestedMultiparts, "boundary=inner"));
        Assert.False(await Body(TroubleMessages.NestedMultiparts, "png"));
        Assert.True(await Text(TroubleMessages.Lines("Content-Type: multipart/mixed; boundary=b", "", "--b", "Content-Description: =?utf-8?Q?caf=C3=A9?=", "", "--b--"), "CAF\u00c9"));
        Assert.False(await Text(TroubleMessages.NestedMultiparts, "iVBOR"));
    }

    [Fact]
    public async Task A_match_may_span_the_pieces_that_are_read()
    {
        var text = new StringBuilder();
        while (text.Length < 100_000)
            text.Append($"line {text.Length} of a long text that is read in pieces\r\n");
        var message = TroubleMessages.Lines("Content-Type: text/plain; charset=utf-8", "", text.ToString());
        var at = Enumerable.Range(0, 200).Select(i => text.ToString().Substring((i * 400) + 16_300, 120)).ToArray();
        var found = await MessageText.BodyContainsAsync(new MessageBytes(default, message), ContentParser.Parse(message).Root, at, Collation.Unicode, Stop);
        Assert.All(found, Assert.True);
    }

    [Fact]
    public async Task Every_message_can_be_searched()
    {
        foreach (var message in TroubleMessages.All.Select(trouble => trouble.Message).Concat(Corpus.Files.Select(Corpus.Read)))
            Assert.False(await Text(message, "\u2603 nobody writes this \u2603"));
    }
}
