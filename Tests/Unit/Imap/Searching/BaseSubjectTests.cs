using MailCluster.Imap.Search;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>RFC 5256 §2.1, its steps and its grammar of §5.</summary>
public sealed class BaseSubjectTests
{
    [Theory]
    [InlineData("hello", "hello", false)]
    [InlineData("", "", false)]
    [InlineData("   ", "", false)]
    [InlineData("a \t  b\r\n c", "a b c", false)]
    [InlineData("Re: hello", "hello", true)]
    [InlineData("rE :hello", "hello", true)]
    [InlineData("re[2]: hello", "hello", true)]
    [InlineData("re [2] : hello", "hello", true)]
    [InlineData("fw: fwd: RE: hello", "hello", true)]
    [InlineData("fwdd: hello", "fwdd: hello", false)]
    [InlineData("re hello", "re hello", false)]
    [InlineData("AW: hello", "AW: hello", false)]
    [InlineData("hello (fwd)", "hello", true)]
    [InlineData("hello (FWD) (fwd)  ", "hello", true)]
    [InlineData("(fwd)", "", true)]
    [InlineData("[list] hello", "hello", false)]
    [InlineData("[list] [two] Re: [three] hello", "hello", true)]
    [InlineData("[list][two]", "[two]", false)]
    [InlineData("[only]", "[only]", false)]
    [InlineData("[open hello", "[open hello", false)]
    [InlineData("[a[b] hello", "[a[b] hello", false)]
    [InlineData("Re: [list]", "[list]", true)]
    [InlineData("Re:", "", true)]
    [InlineData("[Fwd: hello]", "hello", true)]
    [InlineData("[fwd: Re: [list] hello (fwd)]", "hello", true)]
    [InlineData("[fwd: [fwd: hello]]", "hello", true)]
    [InlineData("[fwd: hello] there", "there", false)]
    [InlineData("Re: hello [fwd: x]", "hello [fwd: x]", true)]
    public void What_is_left(string subject, string left, bool reply) => Assert.Equal(new BaseSubject(left, reply), BaseSubject.Of(subject));

    /// <summary>A subject of tens of thousands of brackets is read in the time of its length: with its square this would take minutes.</summary>
    [Fact]
    public void Many_blobs()
    {
        Assert.Equal("x", BaseSubject.Of(string.Concat(Enumerable.Repeat("[]", 200_000)) + "x").Text);
        Assert.Equal("x", BaseSubject.Of(string.Concat(Enumerable.Repeat("[a] re: ", 100_000)) + "x").Text);
        Assert.Equal("[", BaseSubject.Of(new string('[', 1)).Text);
    }
}
