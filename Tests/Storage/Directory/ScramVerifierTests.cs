using MailCluster.Storage.Directories;
using Xunit;

namespace MailCluster.Tests.Storage.Directories;

public sealed class ScramVerifierTests
{
    // Salt, iterations and password of RFC 7677 §3; the keys follow from them by RFC 5802 §3.
    private const string OfRfc7677 =
        "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

    [Fact]
    public void The_example_of_the_rfc_verifies()
    {
        Assert.True(ScramVerifier.Verify("pencil", OfRfc7677));
        Assert.False(ScramVerifier.Verify("Pencil", OfRfc7677));
        Assert.True(ScramVerifier.IsVerifier(OfRfc7677));
    }

    [Fact]
    public void Each_verifier_has_its_own_salt()
    {
        string one = ScramVerifier.Create("päss\u00a0wort"), two = ScramVerifier.Create("päss\u00a0wort");
        Assert.NotEqual(one, two);
        Assert.True(ScramVerifier.Verify("päss wort", one) && ScramVerifier.Verify("pä\u00adss wort", two));
        Assert.False(ScramVerifier.Verify("", one));
    }

    [Theory]
    [InlineData("")]
    [InlineData("secret")]
    [InlineData("SCRAM-SHA-256$4096:!!$AA==:AA==")]
    [InlineData("SCRAM-SHA-256$99999999999:AA==$AA==:AA==")]
    [InlineData("SCRAM-SHA-256$0:AA==$AA==:AA==")]
    [InlineData("SCRAM-SHA-1$4096:AA==$AA==:AA==")]
    public void What_is_no_verifier_verifies_nothing(string text)
    {
        Assert.False(ScramVerifier.Verify("secret", text));
        Assert.False(ScramVerifier.IsVerifier(text));
    }
}
