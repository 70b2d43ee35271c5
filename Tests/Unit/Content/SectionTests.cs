using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Wire;
using MailCluster.Storage.Content;
using MailCluster.Tests.Support;
using MailCluster.Tests.Support.Messages;
using MimeKit;
using Xunit;

namespace MailCluster.Tests.Unit.Content;

public class SectionTests
{
    private static readonly byte[] Prefix = "Return-Path: <a@b>\r\nDelivered-To: c@d\r\n"u8.ToArray();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static async Task<string?> Fetch(byte[] body, string part, SectionText text = SectionText.All, string fields = "", Partial? partial = null, byte[]? prefix = null)
    {
        var message = new MessageBytes(prefix ?? [], body);
        var section = new BodySection(Numbers(part), text, fields.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var content = await SectionResolver.ResolveAsync(message, ContentParser.Parse(body).Root, section, partial, Stop);
        return content is null ? null : await Read(content);
    }

    internal static uint[] Numbers(string part) => [.. part.Split('.', StringSplitOptions.RemoveEmptyEntries).Select(uint.Parse)];

    internal static async Task<string> Read(SectionContent content)
    {
        var bytes = new List<byte>();
        await foreach (var piece in content.ReadAsync(Stop))
            bytes.AddRange(piece.Span);
        Assert.Equal(content.Length, bytes.Count);
        return Encoding.Latin1.GetString([.. bytes]);
    }

    [Fact]
    public async Task The_message_is_what_was_added_and_what_was_stored()
    {
        var body = TroubleMessages.Plain;
        var whole = Encoding.Latin1.GetString([.. Prefix, .. body]);
        var split = whole.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        Assert.Equal(whole, await Fetch(body, "", prefix: Prefix));
        Assert.Equal(whole[..split], await Fetch(body, "", SectionText.Header, prefix: Prefix));
        Assert.Equal(whole[split..], await Fetch(body, "", SectionText.Text, prefix: Prefix));
        Assert.Equal(whole[split..], await Fetch(body, "1", prefix: Prefix));
        Assert.Equal(whole[..split], await Fetch(body, "1", SectionText.Mime, prefix: Prefix));
        Assert.Equal("Delivered-To: c@d\r\nSubject: afternoon meeting\r\n\r\n", await Fetch(body, "", SectionText.HeaderFields, "subject DELIVERED-TO", prefix: Prefix));
    }

    [Fact]
    public async Task Numbers_go_on_inside_embedded_messages()
    {
        var digest = TroubleMessages.Digest;
        Assert.Equal("From: one@example\r\nSubject: first\r\n\r\nbody one", await Fetch(digest, "1"));
        Assert.Equal("From: one@example\r\nSubject: first\r\n\r\n", await Fetch(digest, "1", SectionText.Header));
        Assert.Equal("body one", await Fetch(digest, "1", SectionText.Text));
        Assert.Equal("body one", await Fetch(digest, "1.1"));
        Assert.Equal("\r\n", await Fetch(digest, "1", SectionText.Mime));
        Assert.Equal("<b>inner two</b>", await Fetch(digest, "2.2"));
        Assert.Equal("Content-Type: text/html\r\n\r\n", await Fetch(digest, "2.2", SectionText.Mime));
        Assert.Equal("Subject: second\r\n\r\n", await Fetch(digest, "2", SectionText.HeaderFields, "Subject"));

        var nested = TroubleMessages.MessageInMessage;
        Assert.Equal("Subject: middle\r\nContent-Type: message/rfc822\r\n\r\n", await Fetch(nested, "1", SectionText.Header));
        Assert.Equal("Subject: inner\r\n\r\n", await Fetch(nested, "1.1", SectionText.Header));
        Assert.Equal("the text\r\n", await Fetch(nested, "1.1.1"));
    }

    [Theory]
    [InlineData("2")]
    [InlineData("1.1")]
    [InlineData("1.1.1.1.1")]
    [InlineData("4294967295")]
    public async Task A_part_that_is_not_there_is_nothing(string part)
    {
        Assert.Null(await Fetch(TroubleMessages.Plain, part));
        Assert.Null(await Fetch(TroubleMessages.Plain, part, SectionText.Mime));
    }

    [Fact]
    public async Task Only_a_message_part_has_header_and_text() => Assert.Null(await Fetch(TroubleMessages.Plain, "1", SectionText.Header));

    [Fact]
    public async Task Fields_are_picked_whole_in_order_and_with_the_empty_line()
    {
        var message = TroubleMessages.Lines("A: 1", "B: 2", " folded", "a : 3", "no field", "C: 4", "", "A: body");
        Assert.Equal("A: 1\r\na : 3\r\n\r\n", await Fetch(message, "", SectionText.HeaderFields, "a x"));
        Assert.Equal("B: 2\r\n folded\r\nno field\r\nC: 4\r\n\r\n", await Fetch(message, "", SectionText.HeaderFieldsNot, "A"));
        Assert.Equal("\r\n", await Fetch(message, "", SectionText.HeaderFields, "nothing"));
        Assert.Equal("\r\n", await Fetch([], "", SectionText.HeaderFields, "nothing"));
        Assert.Equal("Subject: nothing follows\r\n\r\n", await Fetch(TroubleMessages.Lines("Subject: nothing follows", ""), "", SectionText.HeaderFields, "subject"));
    }

    [Theory]
    [InlineData(0, 5)]
    [InlineData(17, 60)]
    [InlineData(38, 1)]
    [InlineData(39, 100_000)]
    [InlineData(1_000_000, 10)]
    public async Task A_partial_is_cut_out_of_the_whole(long offset, long length)
    {
        var body = TroubleMessages.Plain;
        foreach (var (text, fields) in new[] { (SectionText.All, ""), (SectionText.Header, ""), (SectionText.HeaderFields, "delivered-to subject"), (SectionText.Text, "") })
        {
            var whole = (await Fetch(body, "", text, fields, prefix: Prefix))!;
            var start = (int)Math.Min(offset, whole.Length);
            var expected = whole.Substring(start, (int)Math.Min(length, whole.Length - start));
            Assert.Equal(expected, await Fetch(body, "", text, fields, new Partial(offset, length), Prefix));
        }
    }

    [Fact]
    public async Task NUL_shows_in_a_literal_as_its_substitute_and_in_a_literal8_as_it_is()
    {
        var body = "Subject: x\r\n\r\na\0b"u8.ToArray();
        var message = new MessageBytes(default, body);
        var root = ContentParser.Parse(body).Root;
        var pipe = new Pipe();
        var reply = new ReplyWriter(pipe.Writer);
        await SectionContent.WriteBodyAsync(reply, pipe.Writer, () => default, await SectionResolver.ResolveAsync(message, root, new BodySection([1], SectionText.All, []), null, Stop), Stop);
        await SectionContent.WriteBinaryAsync(reply, pipe.Writer, () => default, (await BinarySection.ResolveAsync(message, root, [1], null, Stop)).Content, Stop);
        await SectionContent.WriteBodyAsync(reply, pipe.Writer, () => default, null, Stop);
        await pipe.Writer.CompleteAsync();
        var written = await pipe.Reader.ReadAtLeastAsync(int.MaxValue, Stop);
        Assert.Equal("{3}\r\na\u0080b~{3}\r\na\0bNIL", Encoding.Latin1.GetString(written.Buffer.ToArray()));
    }

    [Theory]
    [InlineData("base64", "SGVs*bG8g!!\r\nd29ybGQ=", "Hello world")]
    [InlineData("BASE64", "", "")]
    [InlineData("quoted-printable", "caf=C3=A9=\r\n au lait =3D =ZZ", "caf\u00c3\u00a9 au lait = =ZZ")]
    [InlineData("8bit", "as it is", "as it is")]
    public async Task Transfer_encodings_are_undone(string encoding, string encoded, string expected)
    {
        var body = Encoding.Latin1.GetBytes($"Content-Type: application/x\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{encoded}");
        var result = await BinarySection.ResolveAsync(new MessageBytes(Prefix, body), ContentParser.Parse(body).Root, [1], null, Stop);
        Assert.Equal(expected, await Read(result.Content!));
        var partial = await BinarySection.ResolveAsync(new MessageBytes(Prefix, body), ContentParser.Parse(body).Root, [1], new Partial(2, 3), Stop);
        Assert.Equal(expected[Math.Min(2, expected.Length)..Math.Min(5, expected.Length)], await Read(partial.Content!));
    }

    [Fact]
    public async Task An_unknown_transfer_encoding_is_said_to_be_unknown_and_a_missing_part_is_nothing()
    {
        var body = TroubleMessages.All.Single(trouble => trouble.Name == "unknown transfer encoding").Message;
        var root = ContentParser.Parse(body).Root;
        Assert.True((await BinarySection.ResolveAsync(new MessageBytes(default, body), root, [1], null, Stop)).UnknownEncoding);
        Assert.Equal(default, await BinarySection.ResolveAsync(new MessageBytes(default, body), root, [7], null, Stop));
    }

    [Fact]
    public async Task Every_part_of_the_corpus_can_be_fetched_and_decodes_to_what_MimeKit_says()
    {
        Assert.SkipWhen(Corpus.Folder is null, Corpus.Absent);
        foreach (var file in Corpus.Files)
        {
            var body = Corpus.Read(file);
            var root = ContentParser.Parse(body).Root;
            MimeMessage loaded;
            try
            {
                loaded = MimeMessage.Load(new MemoryStream(body), Stop);
            }
            catch (FormatException)
            {
                continue;
            }
            Assert.Equal(Encoding.Latin1.GetString(body), await Fetch(body, ""));
            await Compare(body, root, loaded.Body is Multipart ? [] : [1], loaded.Body, Path.GetFileName(file));
        }
    }

    private static async Task Compare(byte[] body, BodyPart root, uint[] numbers, MimeEntity? entity, string file)
    {
        if (entity is Multipart multipart)
        {
            for (var i = 0; i < multipart.Count; i++)
                await Compare(body, root, [.. numbers, (uint)i + 1], multipart[i], file);
        }
        else if (entity is MessagePart { Message.Body: { } embedded } && SectionResolver.FindPart(root, numbers) is { Kind: BodyPartKind.Message })
            await Compare(body, root, embedded is Multipart ? numbers : [.. numbers, 1], embedded, file);
        else if (entity is MimePart leaf)
        {
            var decoded = new MemoryStream();
            leaf.Content?.DecodeTo(decoded, Stop);
            var result = await BinarySection.ResolveAsync(new MessageBytes(default, body), root, numbers, null, Stop);
            Assert.True(result.Content is not null || result.UnknownEncoding, $"{file} {string.Join('.', numbers)}");
            if (result.Content is not null)
                Assert.Equal(Encoding.Latin1.GetString(decoded.ToArray()), await Read(result.Content));
        }
    }
}
