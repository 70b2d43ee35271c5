using System.Buffers;
using System.Text;
using CsCheck;
using MailCluster.Contracts.Content;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;
using Xunit;
using static MailCluster.Tests.Unit.Imap.Wire.Grammar;

namespace MailCluster.Tests.Unit.Imap.Wire;

public class ReplyWriterTests
{
    static byte[] Bytes(Action<ReplyWriter> write, WireCharset charset = WireCharset.Rev1)
    {
        var output = new ArrayBufferWriter<byte>();
        write(new ReplyWriter(output, charset));
        return output.WrittenSpan.ToArray();
    }

    static string Written(Action<ReplyWriter> write, WireCharset charset = WireCharset.Rev1) => Encoding.Latin1.GetString(Bytes(write, charset));

    [Theory]
    [InlineData("", "\"\"")]
    [InlineData("a \"b\" \\", "\"a \\\"b\\\" \\\\\"")]
    [InlineData("a\r\nb", "{4}\r\na\r\nb")]
    [InlineData("a\0b", "{3}\r\na\u0080b")]
    [InlineData("\u00e9", "{1}\r\n\u00e9")]
    [InlineData("\u00c3\u00a9", "{2}\r\n\u00c3\u00a9")]
    public void StringsOfRev1(string value, string written) => Assert.Equal(written, Written(w => w.String(Encoding.Latin1.GetBytes(value))));

    [Theory]
    [InlineData("\u00e9", "{1}\r\n\u00e9")]
    [InlineData("\u00c3\u00a9", "\"\u00c3\u00a9\"")]
    [InlineData("\u00c3\u00a9\n", "{3}\r\n\u00c3\u00a9\n")]
    public void StringsOfUtf8Sessions(string value, string written)
        => Assert.Equal(written, Written(w => w.String(Encoding.Latin1.GetBytes(value)), WireCharset.Utf8));

    [Fact]
    public void NilIsNotTheEmptyString()
    {
        Assert.Equal("NIL", Written(w => w.NString((string?)null)));
        Assert.Equal("NIL", Written(w => w.NString((byte[]?)null)));
        Assert.Equal("NIL", Written(w => w.NString(default(RawText))));
        Assert.Equal("\"\"", Written(w => w.NString(RawText.Empty)));
    }

    [Theory]
    [InlineData("abc", "abc")]
    [InlineData("a]", "a]")]
    [InlineData("nil", "\"nil\"")]
    [InlineData("", "\"\"")]
    [InlineData("a b", "\"a b\"")]
    [InlineData("a%", "\"a%\"")]
    public void AStrings(string value, string written) => Assert.Equal(written, Written(w => w.AString(value)));

    [Fact]
    public void EveryStringComesBack() => Gen.Select(Gen.Byte.Array, Gen.Bool).Sample((value, utf8) =>
    {
        var charset = utf8 ? WireCharset.Utf8 : WireCharset.Rev1;
        var expected = value.Select(b => b == 0 ? ReplyWriter.NulSubstitute : b).ToArray();
        Assert.Equal(expected, Parse(Bytes(w => w.String(value), charset), (ref ImapParser p) => p.AString().ToArray(), charset));
    });

    [Fact]
    public void EveryMailboxNameComesBack() => Gen.Select(Gen.String[Gen.Char["aZ&-/ \"\\%\u00e9\u65e5\t"], 1, 12], Gen.Bool).Sample((name, utf8) =>
    {
        var charset = utf8 ? WireCharset.Utf8 : WireCharset.Rev1;
        Assert.Equal(new MailboxArgument(name), Parse(Bytes(w => w.Mailbox(name), charset), (ref ImapParser p) => p.Mailbox(), charset));
    });

    [Fact]
    public void MailboxNamesFollowTheSession()
    {
        Assert.Equal("\"Entw&APw-rfe\"", Written(w => w.Mailbox("Entw\u00fcrfe")));
        Assert.Equal("\"Entw\u00c3\u00bcrfe\"", Written(w => w.Mailbox("Entw\u00fcrfe"), WireCharset.Utf8));
        Assert.Equal("\"a&-b\"", Written(w => w.Mailbox("a&b")));
    }

    [Fact]
    public void DatesHaveAFixedWidth()
    {
        Assert.Equal("\" 7-Feb-1994 21:52:25 -0830\"", Written(w => w.InternalDate(new(1994, 2, 7, 21, 52, 25, new TimeSpan(-8, -30, 0)))));
        Assert.Equal("\"31-Dec-9999 23:59:59 +0000\"", Written(w => w.InternalDate(new(9999, 12, 31, 23, 59, 59, TimeSpan.Zero))));
    }

    [Fact]
    public void EveryDateComesBack() => Gen.Select(Gen.Date[new(1970, 1, 2), new(9999, 12, 28)], Gen.Int[0, 86_399], Gen.Int[-840, 840])
        .Sample((day, seconds, zone) =>
        {
            var date = new DateTimeOffset(day.AddSeconds(seconds), TimeSpan.FromMinutes(zone));
            var read = Parse(Bytes(w => w.InternalDate(date)), (ref ImapParser p) => p.DateTime()).ToDateTimeOffset();
            return read == date && read.Offset == date.Offset;
        });

    [Fact]
    public void FlagsNumbersAndSets()
    {
        Assert.Equal("()", Written(w => w.Flags(SystemFlags.None, [])));
        Assert.Equal(
            "(\\Answered \\Flagged \\Deleted \\Seen \\Draft \\Recent $Junk a)", Written(w => w.Flags((SystemFlags)31, ["$Junk", "a"], recent: true)));
        Assert.Equal("(\\Recent)", Written(w => w.Flags(SystemFlags.None, [], recent: true)));
        Assert.Equal("9223372036854775807", Written(w => w.Number(long.MaxValue)));
        Assert.Equal("1:3,7,9:*", Written(w => w.Ranges(SequenceSet.Parse("1:3,7,9:*").Ranges)));
        Assert.Equal("1:3,7", Written(w => w.Uids(SequenceSet.Parse("7,1:3").ToUidSet(9))));
    }

    [Fact]
    public void ResponseLines()
    {
        Assert.Equal("* 23 EXISTS\r\n", Written(w => w.Untagged(23, "EXISTS"u8)));
        Assert.Equal("a1 NO [TRYCREATE] No such mailbox\r\n", Written(w => w.Status("a1", "NO"u8, "TRYCREATE", "No such mailbox")));
        Assert.Equal("* BYE -\r\n", Written(w => w.Status(null, "BYE"u8, null, "")));
        Assert.Equal("+ idling\r\n", Written(w => w.Continuation("idling")));
        Assert.Equal("* OK a??b?\r\n", Written(w => w.Status(null, "OK"u8, null, "a\r\nb\u00e9")));
        Assert.Equal("* OK \u00c3\u00a9\r\n", Written(w => w.Status(null, "OK"u8, null, "\u00e9"), WireCharset.Utf8));
        Assert.Equal("~{3}\r\n", Written(w => w.Literal8Header(3)));
    }
}
