using System.Text.RegularExpressions;
using MailCluster.Contracts;
using MailCluster.Imap.Commands;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

public sealed class ListPatternTests
{
    [Theory]
    [InlineData("*", "a/b/c", true)]
    [InlineData("%", "a", true)]
    [InlineData("%", "a/b", false)]
    [InlineData("a/%", "a/b", true)]
    [InlineData("a/%", "a/b/c", false)]
    [InlineData("a*c", "a/b/c", true)]
    [InlineData("%/c", "a/b/c", false)]
    [InlineData("%/%/c", "a/b/c", true)]
    [InlineData("*%*b", "a/b", true)]
    [InlineData("", "", true)]
    [InlineData("a", "A", false)]
    [InlineData("inbox", "INBOX", true)]
    [InlineData("iNb%", "INBOX", true)]
    [InlineData("Inbox/*", "INBOX/x", true)]
    [InlineData("inboxes", "INBOXES", false)]
    public void Patterns_match_names(string pattern, string name, bool matches) => Assert.Equal(matches, new ListPattern(pattern, '/').Matches(name));

    /// <summary>What the words of RFC 9051 §6.3.9 say, as a regular expression.</summary>
    [Fact]
    public void Patterns_of_any_length_match_what_they_say()
    {
        var random = new Random(9051);
        for (int i = 0; i < 400; i++)
        {
            char[] letters = [.. Enumerable.Range(0, random.Next(i)).Select(_ => "aab/*%"[random.Next(6)])];
            // A name that it may well match, and one that it hardly does.
            string name = string.Concat(letters.Select(c => c is '*' or '%' ? new string('a', random.Next(3)) : c.ToString()));
            string changed = name.Insert(random.Next(name.Length + 1), random.Next(2) == 0 ? "/" : "a");
            var said = new Regex($"^{string.Concat(letters).Replace("*", "(?s:.*)", StringComparison.Ordinal).Replace("%", "[^/]*", StringComparison.Ordinal)}$", RegexOptions.NonBacktracking);
            var pattern = new ListPattern(new string(letters), '/');
            Assert.All([name, changed, name], n => Assert.Equal(said.IsMatch(n), pattern.Matches(n)));
        }
    }

    /// <summary>One LIST may have sixteen such patterns, and an account ten thousand names.</summary>
    [Fact]
    public void A_pattern_of_stars_costs_no_more_than_its_length_times_the_name()
    {
        var pattern = new ListPattern(string.Concat(Enumerable.Repeat("*a", 2000)) + "b", '/');
        for (int i = 0; i < 1000; i++)
            Assert.False(pattern.Matches(new string('a', 2000)));
    }
}

public sealed class MailboxNamesTests
{
    private static readonly MailboxNames Plain = new('/', "");
    private static readonly MailboxNames Prefixed = new('.', "INBOX.");

    [Theory]
    [InlineData("a*b")]
    [InlineData("a%")]
    [InlineData("a\u0001")]
    [InlineData("a//b")]
    [InlineData("/a")]
    [InlineData("/")]
    [InlineData("")]
    public void Names_that_may_not_be_created(string name) => Assert.Equal(MailErrorCode.Cannot, Plain.New(new MailboxArgument(name)).Error!.Code);

    [Fact]
    public void Half_a_character_is_no_name() => Assert.Equal(MailErrorCode.Cannot, Plain.New(new MailboxArgument("a\ud800")).Error?.Code);

    [Fact]
    public void Names_with_a_wrong_encoding_may_not_be_created_but_found()
    {
        var name = new MailboxArgument("a&b", NameForm.InvalidUtf7);
        Assert.False(Plain.New(name).IsOk);
        Assert.Equal(MailboxPath.Of("a&b"), Plain.Find(name));
    }

    [Fact]
    public void A_level_has_at_most_255_octets()
    {
        Assert.True(Plain.New(new MailboxArgument(new string('a', 255))).IsOk);
        Assert.False(Plain.New(new MailboxArgument(new string('\u00e9', 128))).IsOk);
    }

    [Fact]
    public void A_trailing_delimiter_is_taken_off() => Assert.Equal(MailboxPath.Of("a", "b"), Plain.New(new MailboxArgument("a/b/")).Value);

    [Fact]
    public void The_prefix_stands_before_all_names_but_INBOX()
    {
        Assert.Equal(MailboxPath.Inbox, Prefixed.Find(new MailboxArgument("inbox")));
        Assert.Equal(MailboxPath.Of("Sent"), Prefixed.Find(new MailboxArgument("INBOX.Sent")));
        Assert.Null(Prefixed.Find(new MailboxArgument("Sent")));
        Assert.Equal("INBOX.Sent", Prefixed.NameOf(MailboxPath.Of("Sent")));
        Assert.Equal("INBOX", Prefixed.NameOf(MailboxPath.Inbox));
    }

    [Theory]
    [InlineData(@"v1\2e2/b", "v1.2", "b")]
    [InlineData(@"a\5c2eb", @"a\2eb")]
    [InlineData(@"a\5c5c", @"a\5c")]
    [InlineData(@"\5c5c\5c2e\2e", @"\5c\2e.")]
    [InlineData(@"a\b\2fc", @"a\b\2fc")]
    public void A_level_may_hold_the_delimiter_that_another_account_does_not_have(string name, params string[] levels)
    {
        name = name.Replace('/', '.');
        Assert.Equal("INBOX." + name, Prefixed.NameOf(MailboxPath.Of(levels)));
        Assert.Equal(MailboxPath.Of(levels), Prefixed.Find(new MailboxArgument("INBOX." + name)));
    }

    [Theory]
    [InlineData('/', "a^b.c/d@x.y", @"O/a^b.c\2fd@x.y/v\2f1/w.2")]
    [InlineData('.', "a^b.c/d@x.y", @"O.a\5eb^c/d@x^y.v/1.w\2e2")]
    public void Names_of_others_lead_back_to_them_whatever_their_address_holds(char delimiter, string user, string name)
    {
        var names = new MailboxNames(delimiter, "", "O");
        Assert.Equal(name, names.NameOf(user, false, MailboxPath.Of("v/1", "w.2")));
        (string found, MailboxPath path) = names.FindOther(new MailboxArgument(name))!.Value;
        Assert.Equal((user, MailboxPath.Of("v/1", "w.2")), (found, path));
        Assert.Equal(name, names.OtherOnWire(new MailboxArgument(name))!.ToString(delimiter));
    }
}
