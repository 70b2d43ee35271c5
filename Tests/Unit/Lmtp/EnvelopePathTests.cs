using MailCluster.Lmtp;
using Xunit;

namespace MailCluster.Tests.Unit.Lmtp;

public sealed class EnvelopePathTests
{
    [Theory]
    [InlineData("<>", "")]
    [InlineData("<a@b>", "a@b")]
    [InlineData(" <a@b>", "a@b")]
    [InlineData("<@one,@two:a@b>", "a@b")]
    [InlineData("<\"a b\"@c>", "a b@c")]
    [InlineData("<\"a\\\">\"@c>", "a\">@c")]
    [InlineData("<postmaster>", "postmaster")]
    [InlineData("<δοκιμή@παράδειγμα.δοκιμή>", "δοκιμή@παράδειγμα.δοκιμή")]
    public void Reads_a_path(string text, string address) => Assert.Equal(address, EnvelopePath.Parse(text)!.Address);

    [Theory]
    [InlineData("")]
    [InlineData("a@b")]
    [InlineData("<a@b")]
    [InlineData("<a b@c>")]
    [InlineData("<a@b>x")]
    [InlineData("<a<b@c>")]
    [InlineData("<\"a@b>")]
    [InlineData("<a\rb@c>")]
    [InlineData("<@route>")]
    public void Refuses_what_is_none(string text) => Assert.Null(EnvelopePath.Parse(text));

    [Fact]
    public void Refuses_endless_ones() => Assert.Null(EnvelopePath.Parse("<" + new string('a', 1000) + "@b>"));

    [Fact]
    public void Reads_parameters() =>
        Assert.Equal([new("SIZE", "12"), new("SMTPUTF8", null), new("X", "")], EnvelopePath.Parse("<a@b> size=12  SMTPUTF8 x=")!.Parameters);
}
