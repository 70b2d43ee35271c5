using MailCluster.Contracts;
using MailCluster.Imap.Wire;
using Xunit;
using static MailCluster.Tests.Unit.Imap.Wire.Grammar;

namespace MailCluster.Tests.Unit.Imap.Wire;

public class SearchGrammarTests
{
    static SearchKey Key(string text) => Search(text).Key;

    static void And(SearchKey key, params Action<SearchKey>[] each) => Assert.Collection(Assert.IsType<SearchKey.And>(key).Keys, each);

    static SearchKey Not(SearchKey key) => new SearchKey.Not(key);

    static SearchKey Flag(SystemFlags flag) => new SearchKey.HasFlag(flag);

    [Fact]
    public void FlagKeys()
    {
        Assert.IsType<SearchKey.All>(Key("ALL"));
        Assert.Equal(Flag(SystemFlags.Seen), Key("seen"));
        Assert.Equal(Not(Flag(SystemFlags.Seen)), Key("UNSEEN"));
        Assert.Equal(Not(Flag(SystemFlags.Answered)), Key("UNANSWERED"));
        Assert.Equal(Not(Flag(SystemFlags.Deleted)), Key("UNDELETED"));
        Assert.Equal(Not(Flag(SystemFlags.Draft)), Key("UNDRAFT"));
        Assert.Equal(Not(Flag(SystemFlags.Flagged)), Key("UNFLAGGED "));
        Assert.Equal(new SearchKey.Recent(), Key("RECENT"));
        Assert.Equal(Not(new SearchKey.Recent()), Key("OLD"));
        And(Key("NEW"), key => Assert.Equal(new SearchKey.Recent(), key), key => Assert.Equal(Not(Flag(SystemFlags.Seen)), key));
        Assert.Equal(new SearchKey.HasKeyword("$Junk"), Key("KEYWORD $Junk"));
        Assert.Equal(Not(new SearchKey.HasKeyword("$Junk")), Key("UNKEYWORD $Junk"));
    }

    [Fact]
    public void DateKeys()
    {
        var day = new DateOnly(1994, 2, 1);
        Assert.Equal(new SearchKey.InternalDate(DateComparison.Before, day), Key("BEFORE 1-Feb-1994"));
        Assert.Equal(new SearchKey.InternalDate(DateComparison.On, day), Key("ON \"1-Feb-1994\""));
        Assert.Equal(new SearchKey.InternalDate(DateComparison.Since, day), Key("SINCE 1-Feb-1994"));
        Assert.Equal(new SearchKey.SentDate(DateComparison.Before, day), Key("SENTBEFORE 1-Feb-1994"));
        Assert.Equal(new SearchKey.SentDate(DateComparison.On, day), Key("SENTON 1-Feb-1994"));
        Assert.Equal(new SearchKey.SentDate(DateComparison.Since, day), Key("SENTSINCE 1-Feb-1994"));
        Assert.Equal(new SearchKey.SaveDate(DateComparison.Before, day), Key("SAVEDBEFORE 1-Feb-1994"));
        Assert.Equal(new SearchKey.SaveDate(DateComparison.On, day), Key("SAVEDON 1-Feb-1994"));
        Assert.Equal(new SearchKey.SaveDate(DateComparison.Since, day), Key("SAVEDSINCE 1-Feb-1994"));
        Assert.Equal(new SearchKey.SaveDateSupported(), Key("SAVEDATESUPPORTED"));
        Assert.Equal(new SearchKey.Within(true, 60), Key("OLDER 60"));
        Assert.Equal(new SearchKey.Within(false, 60), Key("YOUNGER 60"));
    }

    [Fact]
    public void TextAndNumberKeys()
    {
        Assert.Equal(new SearchKey.Header("FROM", "Smith"), Key("FROM Smith"));
        Assert.Equal(new SearchKey.Header("X-Flag", ""), Key("HEADER X-Flag \"\""));
        Assert.Equal(new SearchKey.Header("SUBJECT", "NIL"), Key("SUBJECT NIL"));
        Assert.Equal(new SearchKey.Body("a b"), Key("BODY {3}\r\na b"));
        Assert.Equal(new SearchKey.Text("x"), Key("TEXT x"));
        Assert.Equal(new SearchKey.Size(true, 5_000_000_000), Key("LARGER 5000000000"));
        Assert.Equal(new SearchKey.Size(false, 0), Key("SMALLER 0"));
        Assert.Equal(new SearchKey.EmailId("M6d99ac3275bb4e"), Key("EMAILID M6d99ac3275bb4e"));
        Assert.Equal(new SearchKey.ThreadId("T1"), Key("THREADID T1"));
        Assert.Equal("1:5,*", Assert.IsType<SearchKey.Numbers>(Key("1:5,*")).Set.ToString());
        Assert.True(Assert.IsType<SearchKey.Numbers>(Key("$")).Set.IsSavedResult);
        Assert.Equal("9", Assert.IsType<SearchKey.Uid>(Key("UID 9")).Set.ToString());
        Assert.Equal(new SearchKey.ModSeq(620162338, "/flags/\\draft"), Key("MODSEQ \"/flags/\\\\draft\" all 620162338"));
        Assert.True(Search("NOT (SEEN MODSEQ 1)").UsesModSeq);
        Assert.False(Search("SEEN").UsesModSeq);
    }

    [Fact]
    public void KeysAreCombined()
    {
        var or = Assert.IsType<SearchKey.Or>(Key("OR (SEEN FLAGGED) NOT DELETED"));
        And(or.Left, key => Assert.Equal(Flag(SystemFlags.Seen), key), key => Assert.Equal(Flag(SystemFlags.Flagged), key));
        Assert.Equal(Not(Flag(SystemFlags.Deleted)), or.Right);
        And(Key("OR SEEN DRAFT UNSEEN"), key => Assert.IsType<SearchKey.Or>(key), key => Assert.IsType<SearchKey.Not>(key));
    }

    [Theory]
    [InlineData("SEEN", null)]
    [InlineData("RETURN () SEEN", SearchReturn.All)]
    [InlineData("return (MIN max COUNT ALL SAVE) SEEN", SearchReturn.Min | SearchReturn.Max | SearchReturn.Count | SearchReturn.All | SearchReturn.Save)]
    public void ReturnOptions(string text, SearchReturn? expected) => Assert.Equal(expected, Search(text).Return);

    [Fact]
    public void StringsAreInTheCharsetOfTheSearch()
    {
        Assert.Equal(new SearchKey.Text("\u00e9"), Key("CHARSET UTF-8 TEXT {2}\r\n\u00c3\u00a9"));
        Assert.Equal(new SearchKey.Text("\u00e9"), Key("CHARSET iso-8859-1 TEXT {1}\r\n\u00e9"));
        Assert.Equal(new SearchKey.Text("\u0436"), Key("RETURN (COUNT) CHARSET KOI8-R TEXT {1}\r\n\u00d6"));
        Assert.Equal(new SearchKey.Text("\u00e9"), Key("TEXT {2}\r\n\u00c3\u00a9"));
        Assert.False(Search("CHARSET US-ASCII TEXT x").BadCharset);
        Assert.True(Search("CHARSET X-UNKNOWN TEXT {1}\r\n\u00ff").BadCharset);
        Assert.True(Search("CHARSET UTF-7 TEXT x").BadCharset);
        Bad("CHARSET UTF-8 TEXT {1}\r\n\u00ff", SearchGrammar.Parse);
    }

    [Theory]
    [InlineData("")]
    [InlineData("()")]
    [InlineData("BOGUS")]
    [InlineData("BOGUS x")]
    [InlineData("NOT")]
    [InlineData("OR SEEN")]
    [InlineData("OR SEEN ")]
    [InlineData("(SEEN")]
    [InlineData("SEEN)")]
    [InlineData("SEEN  DRAFT")]
    [InlineData("BEFORE 31-Feb-2000")]
    [InlineData("LARGER x")]
    [InlineData("OLDER 0")]
    [InlineData("KEYWORD \"x\"")]
    [InlineData("MODSEQ \"/flags/x\" some 1")]
    [InlineData("RETURN (BOGUS) ALL")]
    [InlineData("RETURN (ALL")]
    [InlineData("RETURN (ALL) ")]
    [InlineData("CHARSET UTF-8")]
    [InlineData("SUBJECT \"\u00e9\"")]
    [InlineData("SUBJECT \u00e9")]
    [InlineData("SUBJECT {5}\r\nabc")]
    [InlineData("1:")]
    public void WhatIsNoSearchIsRefused(string text) => Assert.NotEmpty(Bad(text, SearchGrammar.Parse));

    [Theory]
    [InlineData("(")]
    [InlineData("NOT ")]
    [InlineData("OR ")]
    [InlineData("OR ALL ")]
    [InlineData("OR (NOT ")]
    public void DeepNestingIsRefusedWithoutHarm(string level)
    {
        Bad(string.Concat(Enumerable.Repeat(level, 60_000 / level.Length)) + "ALL", SearchGrammar.Parse);
        Bad(string.Concat(Enumerable.Repeat(level, SearchGrammar.MaxDepth)) + "ALL", SearchGrammar.Parse);
    }

    [Fact]
    public void NestingUpToTheLimitIsFine()
    {
        var levels = SearchGrammar.MaxDepth - 1;
        Assert.Equal(Flag(SystemFlags.Seen), Key(new string('(', levels) + "SEEN" + new string(')', levels)));
    }

    [Fact]
    public void TooManyKeysAreRefused()
    {
        Assert.Equal(SearchGrammar.MaxKeys, Assert.IsType<SearchKey.And>(Key(string.Join(' ', Enumerable.Repeat("SEEN", SearchGrammar.MaxKeys)))).Keys.Count);
        Bad(string.Join(' ', Enumerable.Repeat("SEEN", SearchGrammar.MaxKeys + 1)), SearchGrammar.Parse);
    }
}
