using System.Text;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;
using Xunit;
using static MailCluster.Tests.Unit.Imap.Wire.Grammar;

namespace MailCluster.Tests.Unit.Imap.Wire;

public class ImapParserTests
{
    static string AString(string text, WireCharset charset = WireCharset.Rev1)
        => Parse(text, (ref ImapParser p) => Encoding.Latin1.GetString(p.AString()), charset);

    [Theory]
    [InlineData("abc", "abc")]
    [InlineData("a]b[", "a]b[")]
    [InlineData("\"\"", "")]
    [InlineData("\"a \\\"b\\\" \\\\\"", "a \"b\" \\")]
    [InlineData("{3}\r\na\rb", "a\rb")]
    [InlineData("{3}\nabc", "abc")]
    [InlineData("{0}\r\n", "")]
    [InlineData("{2+}\r\n\u00e9\u00ff", "\u00e9\u00ff")]
    [InlineData("NIL", "NIL")]
    public void AnAStringIsAnAtomAQuotedStringOrALiteral(string text, string value) => Assert.Equal(value, AString(text));

    [Theory]
    [InlineData("")]
    [InlineData(" a")]
    [InlineData("(a)")]
    [InlineData("\u00e9")]
    [InlineData("\"abc")]
    [InlineData("\"abc\\")]
    [InlineData("\"a\rb\"")]
    [InlineData("\"a\0b\"")]
    [InlineData("\"\u00e9\"")]
    [InlineData("{4}\r\nabc")]
    [InlineData("{3}abc")]
    [InlineData("{3} \r\nabc")]
    [InlineData("{}\r\nabc")]
    [InlineData("{-1}\r\nabc")]
    [InlineData("{99999999999999999999}\r\nabc")]
    [InlineData("{3}\r\na\0c")]
    [InlineData("~{3}\r\nabc")]
    public void WhatIsNoAStringIsRefused(string text)
        => Bad(text, (ref ImapParser p) =>
        {
            p.AString();
            p.End();
            return 0;
        });

    [Fact]
    public void QuotedStringsAreUtf8InUtf8Sessions()
    {
        Assert.Equal("\u00c3\u00a9", AString("\"\u00c3\u00a9\"", WireCharset.Utf8));
        Bad("\"\u00e9\"", (ref ImapParser p) => p.AString().Length, WireCharset.Utf8);
    }

    [Fact]
    public void LoginAcceptsEightBitInQuotes()
    {
        var login = Parse("\"j\u00f6rg\" {4+}\r\np\u00e4\"w", SessionGrammar.ParseLogin);
        Assert.Equal("j\u00f6rg", Encoding.Latin1.GetString(login.User));
        Assert.Equal("p\u00e4\"w", Encoding.Latin1.GetString(login.Password));
        Assert.DoesNotContain("p\u00e4", login.ToString());
    }

    [Theory]
    [InlineData("a1 NOOP", "a1", "NOOP", false)]
    [InlineData("A]1 noop", "A]1", "NOOP", false)]
    [InlineData("x uid fetch 1 UID", "x", "FETCH", true)]
    [InlineData("x XUNKNOWN", "x", "XUNKNOWN", false)]
    public void AHeaderIsTagAndName(string text, string tag, string name, bool uid)
        => Assert.Equal(new CommandHeader(tag, name, uid), Parse(text, SessionGrammar.Header));

    [Theory]
    [InlineData("")]
    [InlineData("a1")]
    [InlineData("a1 ")]
    [InlineData("a+1 NOOP")]
    [InlineData("* NOOP")]
    [InlineData("a1  NOOP")]
    [InlineData("\u00e91 NOOP")]
    [InlineData("a1 NO\u00e9P\0")]
    public void AHeaderWithoutTagOrNameIsRefused(string text)
        => Bad(text, (ref ImapParser p) =>
        {
            var header = SessionGrammar.Header(ref p);
            p.End();
            return header;
        });

    [Theory]
    [InlineData("a1 NOOP", "a1")]
    [InlineData("a1", "a1")]
    [InlineData("a1\r\n", "a1")]
    [InlineData("(a1 NOOP", null)]
    [InlineData("a\u00e9 NOOP", null)]
    [InlineData("", null)]
    public void TheTagOfABrokenCommandIsFound(string text, string? tag) => Assert.Equal(tag, ImapParser.TagOf(Encoding.Latin1.GetBytes(text)));

    [Theory]
    [InlineData("0", 0)]
    [InlineData("007", 7)]
    [InlineData("9223372036854775807", long.MaxValue)]
    public void NumbersHave63Bits(string text, long value) => Assert.Equal(value, Parse(text, (ref ImapParser p) => p.Number64()));

    [Theory]
    [InlineData("9223372036854775808")]
    [InlineData("99999999999999999999999999")]
    [InlineData("-1")]
    [InlineData("")]
    public void LargerNumbersAreRefused(string text) => Bad(text, (ref ImapParser p) => p.Number64());

    [Fact]
    public void PlainNumbersHave32Bits()
    {
        Assert.Equal(uint.MaxValue, Parse("4294967295", (ref ImapParser p) => p.Number()));
        Bad("4294967296", (ref ImapParser p) => p.Number());
        Bad("0", (ref ImapParser p) => p.NonZero());
    }

    [Theory]
    [InlineData("1-Feb-1994", 1994, 2, 1)]
    [InlineData("\"01-feb-1994\"", 1994, 2, 1)]
    [InlineData("29-FEB-2024", 2024, 2, 29)]
    [InlineData("1-Jan-0000", 1, 1, 1)]
    [InlineData("31-Dec-9999", 9999, 12, 31)]
    public void DatesAreRead(string text, int year, int month, int day)
        => Assert.Equal(new DateOnly(year, month, day), Parse(text, (ref ImapParser p) => p.Date()));

    [Theory]
    [InlineData("30-Feb-1994")]
    [InlineData("29-Feb-2023")]
    [InlineData("0-Jan-2000")]
    [InlineData("32-Jan-2000")]
    [InlineData("1-Foo-2000")]
    [InlineData("1-Jan-200")]
    [InlineData("1-Jan")]
    [InlineData("\"1-Jan-2000")]
    [InlineData("4294967297-Jan-2000")]
    public void DatesThatDoNotExistAreRefused(string text) => Bad(text, (ref ImapParser p) => p.Date());

    [Fact]
    public void ADateTimeKeepsItsZone()
    {
        var date = Parse("\" 7-Feb-1994 21:52:25 -0800\"", (ref ImapParser p) => p.DateTime());
        Assert.Equal(new DateTimeOffset(1994, 2, 7, 21, 52, 25, TimeSpan.FromHours(-8)), date.ToDateTimeOffset());
        Assert.Equal(TimeSpan.FromHours(-8), date.ToDateTimeOffset().Offset);
    }

    [Theory]
    [InlineData("\"01-Jan-0000 00:00:00 +1400\"", 1970)]
    [InlineData("\"01-Jan-1969 00:00:00 -1400\"", 1970)]
    [InlineData("\"31-Dec-9999 23:59:60 -1400\"", 9999)]
    [InlineData("\"31-Dec-9999 23:59:59 +1400\"", 9999)]
    public void AnyYearBecomesAMoment(string text, int year)
    {
        var moment = Parse(text, (ref ImapParser p) => p.DateTime()).ToDateTimeOffset();
        Assert.InRange(moment.UtcDateTime.Year, 1970, 9999);
        Assert.InRange(moment.Year, year - 1, year);
    }

    [Theory]
    [InlineData("\"7-Feb-1994 24:00:00 +0000\"")]
    [InlineData("\"7-Feb-1994 21:60:25 +0000\"")]
    [InlineData("\"7-Feb-1994 21:52:25 +1401\"")]
    [InlineData("\"7-Feb-1994 21:52:25 +0060\"")]
    [InlineData("\"7-Feb-1994 21:52:25 GMT\"")]
    [InlineData("\"7-Feb-1994 21:52:25\"")]
    [InlineData("7-Feb-1994 21:52:25 +0000")]
    public void BrokenDateTimesAreRefused(string text) => Bad(text, (ref ImapParser p) => p.DateTime());

    [Fact]
    public void FlagsAreSystemFlagsAndKeywords()
    {
        var flags = Parse("(\\Seen \\DELETED $Forwarded Work work)", FlagGrammar.List);
        Assert.Equal(SystemFlags.Seen | SystemFlags.Deleted, flags.System);
        Assert.Equal(["$Forwarded", "Work"], flags.Keywords);
        Assert.Equal(SystemFlags.None, Parse("()", FlagGrammar.List).System);
    }

    [Theory]
    [InlineData("(\\*)")]
    [InlineData("(\\Recent)")]
    [InlineData("(\\Fancy)")]
    [InlineData("(\\ Seen)")]
    [InlineData("(\\Seen")]
    [InlineData("(a\u00e9)")]
    [InlineData("\\Seen)")]
    public void FlagsThatCannotBeSetAreRefused(string text) => Bad(text, FlagGrammar.List);

    [Theory]
    [InlineData("inbox", "INBOX", NameForm.Regular)]
    [InlineData("\"InBox\"", "INBOX", NameForm.Regular)]
    [InlineData("Entw&APw-rfe", "Entw\u00fcrfe", NameForm.Regular)]
    [InlineData("a&-b", "a&b", NameForm.Regular)]
    [InlineData("a&b", "a&b", NameForm.InvalidUtf7)]
    [InlineData("\"Entw\u00c3\u00bcrfe\"", "Entw\u00fcrfe", NameForm.RawUtf8)]
    [InlineData("{2}\r\n\u00ff\u00ff", "\u00ff\u00ff", NameForm.Undecodable)]
    public void MailboxNamesOfRev1AreModifiedUtf7(string text, string name, NameForm form)
        => Assert.Equal(new MailboxArgument(name, form), Parse(text, (ref ImapParser p) => p.Mailbox()));

    [Theory]
    [InlineData("a&b", "a&b", NameForm.Regular)]
    [InlineData("\"Entw\u00c3\u00bcrfe\"", "Entw\u00fcrfe", NameForm.Regular)]
    public void MailboxNamesOfRev2AreUtf8(string text, string name, NameForm form)
        => Assert.Equal(new MailboxArgument(name, form), Parse(text, (ref ImapParser p) => p.Mailbox(), WireCharset.Utf8));

    [Fact]
    public void AMailboxAtomWithEightBitIsRefused() => Bad("Entw\u00c3\u00bcrfe", MailboxGrammar.ParseName);
}
