using System.Text;
using MailCluster.Imap.Wire;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Wire;

/// <summary>Names of annotations' entries, and patterns of them (RFC 5257 §3.2.1, §4.3).</summary>
public sealed class AnnotationNamesTests
{
    [Theory]
    [InlineData("/*", "/comment", true)]
    [InlineData("/%", "/comment", true)]
    [InlineData("/%", "/1/comment", false)]
    [InlineData("/*", "/1/comment", true)]
    [InlineData("*", "/comment", true)]
    [InlineData("/comment*", "/comment", false)]
    [InlineData("/comment%", "/comments", true)]
    [InlineData("/%/%", "/1/comment", true)]
    [InlineData("/%/%", "/1/flags/seen", false)]
    [InlineData("/*/seen", "/1/flags/seen", true)]
    [InlineData("/**", "/a", false)]
    [InlineData("/**", "/ab", true)]
    [InlineData("/%*", "/a/b", true)]
    [InlineData("/*%", "/a/", false)]
    [InlineData("/vendor/*/b", "/vendor/a/b", true)]
    [InlineData("/vendor/*b*b", "/vendor/abab", true)]
    [InlineData("/Comment", "/comment", false)]
    [InlineData("/comment", "/comment", true)]
    [InlineData("%comment", "/comment", false)]
    public void A_wildcard_is_one_character_or_more(string pattern, string entry, bool matches) => Assert.Equal(matches, AnnotationNames.Matches(pattern, entry));

    [Fact]
    public void Matching_costs_one_length_times_the_other_at_most() =>
        Assert.False(AnnotationNames.Matches(string.Concat(Enumerable.Repeat("*a", 127)), "/" + new string('a', 250) + "b"));

    [Theory]
    [InlineData("/comment")]
    [InlineData("/altsubject")]
    [InlineData("/vendor/acme")]
    [InlineData("/vendor/acme/label.priv")]
    [InlineData("/1/comment")]
    [InlineData("/4294967295.1.2/vendor/acme/x")]
    [InlineData("/2.1/flags/forwarded")]
    public void What_is_registered_can_be_set(string entry) => Assert.Equal(entry, AnnotationNames.Settable(Encoding.ASCII.GetBytes(entry)));

    [Fact]
    public void Parts_are_those_of_the_message()
    {
        Assert.Equal([2u, 1u], AnnotationNames.PartOfEntry("/2.1/comment"));
        Assert.Null(AnnotationNames.PartOfEntry("/comment"));
        Assert.Throws<ImapSyntaxException>(static () => AnnotationNames.Entry("/4294967296/comment"u8));
        Assert.Throws<ImapSyntaxException>(static () => AnnotationNames.Entry(Encoding.ASCII.GetBytes($"/{string.Join('.', Enumerable.Repeat("1", 201))}/comment")));
        Assert.Throws<ImapSyntaxException>(static () => AnnotationNames.Entry(Encoding.ASCII.GetBytes("/" + new string('a', 255))));
    }
}
