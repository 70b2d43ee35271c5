using System.Text;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;
using Xunit;
using static MailCluster.Tests.Unit.Imap.Wire.Grammar;

namespace MailCluster.Tests.Unit.Imap.Wire;

/// <summary>The commands that name mailboxes, and those at the start of a session.</summary>
public class MailboxGrammarTests
{
    [Fact]
    public void PlainList()
    {
        var list = Parse("\"\" %", ListGrammar.Parse);
        Assert.Equal("", list.Reference.Name);
        Assert.Equal("%", Assert.Single(list.Patterns).Name);
        Assert.False(list.Extended);
        Assert.Equal("", Assert.Single(Parse("\"\" \"\"", ListGrammar.Parse).Patterns).Name);
        Assert.Equal("Entw\u00fcrfe/*", Assert.Single(Parse("ref Entw&APw-rfe/*", ListGrammar.Parse).Patterns).Name);
    }

    [Fact]
    public void ExtendedList()
    {
        var list = Parse(
            "(SUBSCRIBED recursivematch REMOTE SPECIAL-USE) \"\" (INBOX \"Dra*\") RETURN (CHILDREN SUBSCRIBED SPECIAL-USE STATUS (MESSAGES SIZE))",
            ListGrammar.Parse);
        Assert.Equal(ListSelection.Subscribed | ListSelection.RecursiveMatch | ListSelection.Remote | ListSelection.SpecialUse, list.Selection);
        Assert.Equal(["INBOX", "Dra*"], list.Patterns.Select(pattern => pattern.Name));
        Assert.Equal(ListReturn.Children | ListReturn.Subscribed | ListReturn.SpecialUse | ListReturn.Status, list.Return);
        Assert.Equal(StatusItems.Messages | StatusItems.Size, list.Status);
        Assert.True(list.Extended);
        Assert.True(Parse("() \"\" *", ListGrammar.Parse).Extended);
        Assert.True(Parse("\"\" * RETURN ()", ListGrammar.Parse).Extended);
    }

    [Theory]
    [InlineData("\"\"")]
    [InlineData("\"\" ")]
    [InlineData("\"\" ()")]
    [InlineData("\"\" (a")]
    [InlineData("(RECURSIVEMATCH) \"\" *")]
    [InlineData("(RECURSIVEMATCH REMOTE) \"\" *")]
    [InlineData("(BOGUS) \"\" *")]
    [InlineData("\"\" * RETURN (BOGUS)")]
    [InlineData("\"\" * RETURN (STATUS)")]
    [InlineData("\"\" * RETURN (STATUS ())")]
    [InlineData("\"\" * BOGUS")]
    [InlineData("\"\" \u00e9")]
    public void WhatIsNoListIsRefused(string text) => Bad(text, ListGrammar.Parse);

    [Fact]
    public void Lsub() => Assert.Equal("*", Assert.Single(Parse("\"\" *", ListGrammar.ParseLsub).Patterns).Name);

    [Fact]
    public void Status()
    {
        var status = Parse(
            "\"a b\" (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN DELETED SIZE HIGHESTMODSEQ APPENDLIMIT MAILBOXID DELETED-STORAGE)", StatusGrammar.Parse);
        Assert.Equal("a b", status.Mailbox.Name);
        Assert.Equal((StatusItems)2047, status.Items);
        Bad("a ()", StatusGrammar.Parse);
        Bad("a (BOGUS)", StatusGrammar.Parse);
        Bad("a MESSAGES", StatusGrammar.Parse);
    }

    [Fact]
    public void SelectWithParameters()
    {
        Assert.Equal(new SelectArguments(new("INBOX"), false, null), Parse("inbox ", SelectGrammar.Parse));
        Assert.True(Parse("INBOX (CONDSTORE)", SelectGrammar.Parse).CondStore);
        var resync = Parse("INBOX (QRESYNC (67890007 20050715194045000 41,43:211,214:541 (1,8 41,50)) CONDSTORE)", SelectGrammar.Parse).QResync!;
        Assert.Equal(67890007u, resync.UidValidity);
        Assert.Equal(20050715194045000, resync.ModSeq);
        Assert.Equal("41,43:211,214:541", resync.KnownUids!.ToString());
        Assert.Equal("1,8", resync.KnownNumbers!.ToString());
        Assert.Equal("41,50", resync.KnownNumberUids!.ToString());
        Assert.Null(Parse("INBOX (QRESYNC (1 2))", SelectGrammar.Parse).QResync!.KnownUids);
        Assert.Null(Parse("INBOX (QRESYNC (1 2 (3 4)))", SelectGrammar.Parse).QResync!.KnownUids);
    }

    [Theory]
    [InlineData("")]
    [InlineData("INBOX ()")]
    [InlineData("INBOX (BOGUS)")]
    [InlineData("INBOX (QRESYNC)")]
    [InlineData("INBOX (QRESYNC (1))")]
    [InlineData("INBOX (QRESYNC (0 1))")]
    [InlineData("INBOX (QRESYNC (1 0))")]
    [InlineData("INBOX (QRESYNC (1 2 3:*))")]
    [InlineData("INBOX (QRESYNC (1 2 $))")]
    [InlineData("INBOX (QRESYNC (1 2 3 (4)))")]
    [InlineData("INBOX (QRESYNC (1 2 3 (4 5) 6))")]
    [InlineData("INBOX x")]
    public void WhatIsNoSelectIsRefused(string text) => Bad(text, SelectGrammar.Parse);

    [Fact]
    public void CreateWithUse()
    {
        Assert.Empty(Parse("a/", MailboxGrammar.ParseCreate).Use);
        var create = Parse("MyDrafts (USE (\\drafts \\Sent \\Drafts))", MailboxGrammar.ParseCreate);
        Assert.Equal([@"\Drafts", @"\Sent"], create.Use);
        Assert.False(create.UnknownUse);
        // RFC 8457, RFC 9979.
        Assert.Equal([@"\Important", @"\Memos", @"\Scheduled", @"\Snoozed"], Parse("x (USE (\\important \\memos \\scheduled \\snoozed))", MailboxGrammar.ParseCreate).Use.Order());
        Assert.True(Parse("x (USE (\\Bogus))", MailboxGrammar.ParseCreate).UnknownUse);
        Bad("x (USE)", MailboxGrammar.ParseCreate);
        Bad("x (USE (Sent))", MailboxGrammar.ParseCreate);
        Bad("x (BOGUS (1))", MailboxGrammar.ParseCreate);
    }

    [Fact]
    public void NamesAndSets()
    {
        Assert.Equal(new RenameArguments(new("a"), new("b c")), Parse("a \"b c\"", MailboxGrammar.ParseRename));
        Assert.Equal("Trash", Parse("2:4 Trash", MailboxGrammar.ParseCopy).Mailbox.Name);
        Assert.Equal("3000:3002", Parse("3000:3002", MailboxGrammar.ParseUidExpunge).ToString());
        Bad("a", MailboxGrammar.ParseRename);
        Bad("2:4", MailboxGrammar.ParseCopy);
        Bad("a b", MailboxGrammar.ParseName);
    }

    [Fact]
    public void AppendPrefixes()
    {
        var prefix = Parse("saved (\\Seen x) \"17-Jul-1996 02:44:25 -0700\" {310}\r\n", AppendGrammar.ParsePrefix)!;
        Assert.Equal("saved", prefix.Mailbox.Name);
        Assert.Equal(SystemFlags.Seen, prefix.Flags.System);
        Assert.Equal(-7 * 60, prefix.InternalDate!.Value.ZoneMinutes);
        Assert.Null(Parse("saved ~{310+}\r\n", AppendGrammar.ParsePrefix)!.InternalDate);
        Assert.Null(Parse("{5}\r\n", AppendGrammar.ParsePrefix));
        Assert.Equal("saved", Parse("{5}\r\nsaved {310}\r\n", AppendGrammar.ParsePrefix)!.Mailbox.Name);
        Assert.Null(Parse(" ", (ref ImapParser p) => AppendGrammar.ParseNext(ref p, new("saved"))));
        Assert.Equal(SystemFlags.Draft, Parse(" (\\Draft) {4}\r\n", (ref ImapParser p) => AppendGrammar.ParseNext(ref p, new("saved")))!.Flags.System);
    }

    [Theory]
    [InlineData("saved")]
    [InlineData("saved message")]
    [InlineData("saved \"30-Feb-2020 00:00:00 +0000\" {3}\r\n")]
    [InlineData("saved (\\Seen){3}\r\n")]
    [InlineData("saved (\\Seen) (\\Seen) {3}\r\n")]
    public void WhatIsNoAppendIsRefused(string text) => Bad(text, AppendGrammar.ParsePrefix);

    [Fact]
    public void CommandsAtTheStartOfASession()
    {
        Assert.Equal("PLAIN", Parse("plain", SessionGrammar.ParseAuthenticate).Mechanism);
        Assert.Null(Parse("PLAIN", SessionGrammar.ParseAuthenticate).InitialResponse);
        Assert.Empty(Parse("PLAIN =", SessionGrammar.ParseAuthenticate).InitialResponse!);
        Assert.Equal("AGEAYg=="u8.ToArray(), Parse("PLAIN AGEAYg==", SessionGrammar.ParseAuthenticate).InitialResponse);
        Assert.Equal(["IMAP4REV2", "UTF8=ACCEPT"], Parse("imap4rev2 UTF8=ACCEPT", SessionGrammar.ParseEnable));
        Bad("", SessionGrammar.ParseEnable);
        Assert.Empty(Parse("NIL", SessionGrammar.ParseId));
        Assert.Empty(Parse("()", SessionGrammar.ParseId));
        Assert.Equal([new("name", "x"), new("os", null)], Parse("(\"name\" \"x\" \"os\" NIL)", SessionGrammar.ParseId));
        Bad("(\"name\")", SessionGrammar.ParseId);
        Bad("(" + string.Join(' ', Enumerable.Repeat("\"a\" NIL", 31)) + ")", SessionGrammar.ParseId);
    }
}
