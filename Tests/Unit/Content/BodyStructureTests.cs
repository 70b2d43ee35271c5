using System.Buffers;
using System.Text;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Wire;
using MailCluster.Storage.Content;
using MailCluster.Tests.Support;
using MailCluster.Tests.Support.Messages;
using Xunit;

namespace MailCluster.Tests.Unit.Content;

public class BodyStructureTests
{
    private static string Write(MessageContent content, Func<ReplyWriter, BodyPart, ReplyWriter> write, WireCharset charset = WireCharset.Rev1)
    {
        var output = new ArrayBufferWriter<byte>();
        write(new ReplyWriter(output, charset), content.Root);
        return Encoding.Latin1.GetString(output.WrittenSpan);
    }

    private static string Body(byte[] message) => Write(ContentParser.Parse(message), BodyStructureResponse.Body);

    private static string Structure(byte[] message, WireCharset charset = WireCharset.Rev1) =>
        Write(ContentParser.Parse(message), BodyStructureResponse.BodyStructure, charset);

    [Fact]
    public void A_text_has_its_size_in_octets_and_lines()
    {
        Assert.Equal("(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7bit\" 55 1)", Body(TroubleMessages.Plain));
        Assert.Equal("(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7bit\" 55 1 NIL NIL NIL NIL)", Structure(TroubleMessages.Plain));
    }

    /// <summary>The example of RFC 9051 §7.5.2: a text and a base64-encoded text attachment.</summary>
    [Fact]
    public void Two_texts_as_in_the_standard()
    {
        var message = TroubleMessages.Lines(
            "Content-Type: MULTIPART/MIXED; BOUNDARY=x", "", "--x", "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII", "Content-Transfer-Encoding: 7BIT", "",
            "one", "two", "--x", "Content-Type: TEXT/PLAIN; CHARSET=US-ASCII; NAME=cc.diff", "Content-ID: <960723163407.20117h@cac.washington.edu>",
            "Content-Description: Compiler diff", "Content-Transfer-Encoding: BASE64", "", "YQ==", "--x--", "");
        Assert.Equal(
            "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 8 2)"
            + "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\" \"NAME\" \"cc.diff\") \"<960723163407.20117h@cac.washington.edu>\" "
            + "\"Compiler diff\" \"BASE64\" 4 1) \"MIXED\")",
            Body(message));
    }

    [Fact]
    public void Extension_data_comes_in_the_order_of_the_standard()
    {
        var message = TroubleMessages.Lines(
            "Content-Type: multipart/mixed; boundary=b", "Content-Language: en, de", "Content-Location: http://a.example/", "", "--b",
            "Content-Type: image/gif", "Content-MD5: Q2hlY2s=", "Content-Disposition: inline", "Content-Language: fr", "", "x", "--b--", "");
        Assert.Equal(
            "((\"image\" \"gif\" NIL NIL NIL \"7bit\" 1 \"Q2hlY2s=\" (\"inline\" NIL) \"fr\" NIL)"
            + " \"mixed\" (\"boundary\" \"b\") NIL (\"en\" \"de\") \"http://a.example/\")",
            Structure(message));
    }

    [Fact]
    public void A_message_part_carries_envelope_structure_and_lines() => Assert.Equal(
        "((\"message\" \"rfc822\" NIL NIL NIL \"7bit\" 45 (NIL \"first\" ((NIL NIL \"one\" \"example\")) ((NIL NIL \"one\" \"example\"))"
        + " ((NIL NIL \"one\" \"example\")) NIL NIL NIL NIL NIL) (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 8 1) 4)",
        Body(TroubleMessages.Digest)[..Body(TroubleMessages.Digest).IndexOf("(\"message\"", 5, StringComparison.Ordinal)]);

    [Fact]
    public void An_empty_multipart_shows_one_empty_text() => Assert.Equal(
        "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7bit\" 0 0) \"mixed\")",
        Body("Content-Type: multipart/mixed; boundary=b\r\n\r\nno part\r\n"u8.ToArray()));

    [Fact]
    public void Split_parameters_are_as_written_in_rev1_and_joined_in_UTF8_sessions()
    {
        var rev1 = Structure(TroubleMessages.SplitParameters);
        Assert.Contains("(\"title*0*\" \"us-ascii'en'This%20is%20even%20more%20\" \"title*1*\" \"%2A%2A%2Afun%2A%2A%2A%20\" \"title*2\" \"isn't it!\" \"plain\" \"x\")", rev1);
        Assert.Contains("(\"attachment\" (\"filename*\" \"utf-8''%e2%82%ac%20rates\" \"size*0\" \"1\" \"size*1\" \"2\"))", rev1);
        var utf8 = Structure(TroubleMessages.SplitParameters, WireCharset.Utf8);
        Assert.Contains("(\"title*\" \"This is even more ***fun*** isn't it!\" \"plain\" \"x\")", utf8);
        Assert.Contains("(\"attachment\" (\"filename*\" \"\u00e2\u0082\u00ac rates\" \"size\" \"12\"))", utf8);
    }

    [Theory]
    [InlineData("name*1=b; name*0=a", "(\"name\" \"ab\")")]
    [InlineData("name*0=a; name*2=c", "(\"name*0\" \"a\" \"name*2\" \"c\")")]
    [InlineData("name*=x-unknown''a", "(\"name*\" \"x-unknown''a\")")]
    [InlineData("name*=nothing", "(\"name*\" \"nothing\")")]
    [InlineData("name*=iso-8859-1''%E9", "(\"name*\" \"\u00c3\u00a9\")")]
    [InlineData("name*=utf-8''50%", "(\"name*\" \"50%\")")]
    public void Parameters_that_cannot_be_joined_stay(string parameters, string expected) => Assert.Contains(
        expected, Structure(Encoding.Latin1.GetBytes($"Content-Type: image/gif; {parameters}\r\n\r\n"), WireCharset.Utf8));

    [Theory]
    [InlineData("text/plain; name=a b.txt; format=flowed", "\"text\" \"plain\" (\"name\" \"a b.txt\" \"format\" \"flowed\" \"charset\" \"us-ascii\")")]
    [InlineData("text/plain; charset=us-ascii (Plain text)", "\"text\" \"plain\" (\"charset\" \"us-ascii\")")]
    [InlineData("text/plain (a comment); (another) charset = \"a\\\"b\"", "\"text\" \"plain\" (\"charset\" \"a\\\"b\")")]
    [InlineData("image/gif; ; name; =x; ok=1", "\"image\" \"gif\" (\"ok\" \"1\")")]
    public void Parameters_are_read_as_mailers_write_them(string value, string expected) =>
        Assert.Contains(expected, Body(Encoding.Latin1.GetBytes($"Content-Type: {value}\r\n\r\n")));

    [Fact]
    public void Whatever_the_message_the_response_is_balanced()
    {
        Assert.All(TroubleMessages.All, trouble => Balanced(ContentParser.Parse(trouble.Message)));
        Assert.All(Corpus.Files, file => Balanced(ContentParser.Parse(Corpus.Read(file))));
    }

    private static void Balanced(MessageContent content)
    {
        foreach (var charset in Enum.GetValues<WireCharset>())
        {
            ImapText.AssertOneList(Write(content, BodyStructureResponse.Body, charset));
            ImapText.AssertOneList(Write(content, BodyStructureResponse.BodyStructure, charset));
            ImapText.AssertOneList(Write(content, (reply, _) => reply.Envelope(content.Envelope), charset));
        }
    }
}
