using MailCluster.Imap.Search;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>RFC 5051 §2: title case, then the whole decomposition.</summary>
public sealed class UnicodeCasemapTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("aZ09-_", "AZ09-_")]
    [InlineData("\u00fc", "U\u0308")]
    [InlineData("\u00dc", "U\u0308")]
    [InlineData("u\u0308", "U\u0308")]
    [InlineData("\u00df", "\u00df")]
    [InlineData("\u01c6", "D\u007a\u030c")]
    [InlineData("\u01c4", "D\u007a\u030c")]
    [InlineData("\ufb01", "fi")]
    [InlineData("\u0451", "\u0415\u0308")]
    [InlineData("\u03c3\u03c2", "\u03a3\u03a3")]
    [InlineData("\u1e69", "S\u0323\u0307")]
    [InlineData("\uac00", "\u1100\u1161")]
    [InlineData("\uac01", "\u1100\u1161\u11a8")]
    [InlineData("\U00010428", "\U00010400")]
    [InlineData("\U0001d400", "A")]
    [InlineData("\u4e2d\u6587", "\u4e2d\u6587")]
    public void Maps(string text, string mapped) => Assert.Equal(mapped, UnicodeCasemap.Map(text));

    [Fact]
    public void What_is_no_text_becomes_one() => Assert.Equal("\ufffdA", UnicodeCasemap.Map("\ud800a"));
}
