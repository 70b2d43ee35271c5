using System.Buffers;
using System.Text;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Wire;
using MailCluster.Storage.Content;
using MailCluster.Tests.Support.Messages;
using Xunit;

namespace MailCluster.Tests.Unit.Content;

public class EnvelopeTests
{
    private static string Envelope(byte[] message, WireCharset charset = WireCharset.Rev1)
    {
        var output = new ArrayBufferWriter<byte>();
        new ReplyWriter(output, charset).Envelope(ContentParser.Parse(message).Envelope);
        return Encoding.Latin1.GetString(output.WrittenSpan);
    }

    /// <summary>The list of one address field, as it stands in an envelope.</summary>
    private static string To(string value) =>
        Envelope(Encoding.Latin1.GetBytes($"To: {value}\r\n\r\n"))["(NIL NIL NIL NIL NIL ".Length..^" NIL NIL NIL NIL)".Length];

    [Fact]
    public void A_plain_message_has_its_fields_with_sender_and_reply_to_from_from() => Assert.Equal(
        "(\"Mon, 7 Feb 1994 21:52:25 -0800 (PST)\" \"afternoon meeting\" "
        + "((\"Fred Foobar\" NIL \"foobar\" \"Blurdybloop.example\")) ((\"Fred Foobar\" NIL \"foobar\" \"Blurdybloop.example\")) "
        + "((\"Fred Foobar\" NIL \"foobar\" \"Blurdybloop.example\")) ((NIL NIL \"mooch\" \"owatagu.siam.edu.example\")) NIL NIL NIL "
        + "\"<B27397-0100000@Blurdybloop.example>\")",
        Envelope(TroubleMessages.Plain));

    [Fact]
    public void Absent_fields_are_NIL_and_empty_ones_are_empty() =>
        Assert.Equal("(NIL \"\" NIL NIL NIL NIL NIL NIL NIL NIL)", Envelope("Subject:\r\nTo:\r\n\r\n"u8.ToArray()));

    [Theory]
    [InlineData("a@b.example", "((NIL NIL \"a\" \"b.example\"))")]
    [InlineData("<a@b>, c@d", "((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\"))")]
    [InlineData("undisclosed-recipients:;", "((NIL NIL \"undisclosed-recipients\" NIL)(NIL NIL NIL NIL))")]
    [InlineData("A Group:Ed Jones <joe@a>,j@w;, x@y", "((NIL NIL \"A Group\" NIL)(\"Ed Jones\" NIL \"joe\" \"a\")(NIL NIL \"j\" \"w\")(NIL NIL NIL NIL)(NIL NIL \"x\" \"y\"))")]
    [InlineData("Left open: a@b", "((NIL NIL \"Left open\" NIL)(NIL NIL \"a\" \"b\")(NIL NIL NIL NIL))")]
    [InlineData("<@one.example,@two.example:u@h>", "((NIL \"@one.example,@two.example\" \"u\" \"h\"))")]
    [InlineData("\"Quoted, \\\"Name\\\"\" <\"odd local\"@e>", "((\"Quoted, \\\"Name\\\"\" NIL \"odd local\" \"e\"))")]
    [InlineData("old@style (Old Style)", "((\"Old Style\" NIL \"old\" \"style\"))")]
    [InlineData("<a@b> (After)", "((\"After\" NIL \"a\" \"b\"))")]
    [InlineData("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "((\"Pete\" NIL \"pete\" \"silly.test\"))")]
    [InlineData("root", "((NIL NIL \"root\" \"\"))")]
    [InlineData("John Q. Public <q@p>", "((\"John Q. Public\" NIL \"q\" \"p\"))")]
    [InlineData("me@here <me@here>", "((\"me@here\" NIL \"me\" \"here\"))")]
    [InlineData("John Doe john@doe", "((\"John Doe\" NIL \"john\" \"doe\"))")]
    [InlineData("a@[127.0.0.1]", "((NIL NIL \"a\" \"[127.0.0.1]\"))")]
    [InlineData("=?utf-8?q?J=C3=A9?= =?utf-8?q?r?= <j@e>", "((\"=?utf-8?q?J=C3=A9?= =?utf-8?q?r?=\" NIL \"j\" \"e\"))")]
    [InlineData("a @ b . c", "((NIL NIL \"a\" \"b.c\"))")]
    [InlineData("<unclosed@x, next@y", "((NIL NIL \"unclosed\" \"x\")(NIL NIL \"next\" \"y\"))")]
    [InlineData("<>, (only a comment), ,;", "((NIL NIL \"\" \"\"))")]
    public void Addresses_are_read_as_people_write_them(string value, string expected) => Assert.Equal(expected, To(value));

    [Fact]
    public void Eight_bit_is_a_literal_in_rev1_and_quoted_in_UTF8_sessions_only_where_it_is_UTF8()
    {
        var rev1 = Envelope(TroubleMessages.EightBitHeader);
        Assert.Contains("{4}\r\ncaf\u00e9 ", rev1);
        Assert.Contains("({7}\r\nGr\u00c3\u00bc\u00c3\u009fe NIL \"a\" \"example.com\")", rev1);
        var utf8 = Envelope(TroubleMessages.EightBitHeader, WireCharset.Utf8);
        Assert.Contains("{4}\r\ncaf\u00e9 ", utf8);
        Assert.Contains("(\"Gr\u00c3\u00bc\u00c3\u009fe\" NIL \"a\" \"example.com\")", utf8);
    }

    [Fact]
    public void NUL_and_CR_are_never_quoted()
    {
        Assert.Contains("{3}\r\na\u0080b ", Envelope("Subject: a\0b\r\n\r\n"u8.ToArray(), WireCharset.Utf8));
        Assert.Contains("{3}\r\na\rb ", Envelope("Subject: a\rb\r\n\r\n"u8.ToArray(), WireCharset.Utf8));
    }

    [Fact]
    public void The_envelope_can_be_decoded_without_the_rest()
    {
        var content = ContentParser.Parse(TroubleMessages.GroupsAndRoutes);
        Assert.Equivalent(content.Envelope, MessageContent.Decode(content.Encode()).Envelope, strict: true);
    }
}
