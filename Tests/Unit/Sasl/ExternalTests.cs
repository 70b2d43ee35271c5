using System.Text;
using MailCluster.Contracts;
using MailCluster.Sasl;
using Xunit;

namespace MailCluster.Tests.Unit.Sasl;

/// <summary>EXTERNAL: the certificate's addresses are facts of the connection.</summary>
public sealed class ExternalTests : IAsyncDisposable
{
    private static readonly SaslConnection _shown = SaslStage.Secure with { CertificateUsers = ["alice@demo.test", "bob@demo.test"] };

    private readonly SaslStage _stage = new();

    public ValueTask DisposeAsync() => _stage.DisposeAsync();

    [Theory]
    [InlineData("", null)]
    [InlineData("Alice@demo.test", null)]
    [InlineData("bob@demo.test", MailErrorCode.AuthenticationFailed)]
    [InlineData("carol@demo.test", MailErrorCode.AuthorizationFailed)]
    [InlineData("\0", MailErrorCode.Cannot)]
    public async Task The_certificate_says_who_it_is(string wanted, MailErrorCode? refused)
    {
        await using SaslExchange exchange = _stage.Server.Begin("EXTERNAL", _shown).Exchange!;
        Assert.Equal(0, Assert.IsType<SaslChallenge>(await exchange.NextAsync(null, default)).Bytes.Length);
        SaslStep step = await exchange.NextAsync(Encoding.UTF8.GetBytes(wanted), default);
        Assert.Equal(refused, (step as SaslFailure)?.Error.Code);
        Assert.Equal(refused is null, step is SaslSuccess);
    }

    [Fact]
    public void Without_a_certificate_there_is_none()
    {
        Assert.Equal("EXTERNAL", _stage.Server.Mechanisms(_shown)[0]);
        Assert.DoesNotContain("EXTERNAL", _stage.Server.Mechanisms(SaslStage.Secure));
        Assert.Equal(SaslFailureKind.UnknownMechanism, _stage.Server.Begin("EXTERNAL", SaslStage.Secure).Failure?.Kind);
    }
}
