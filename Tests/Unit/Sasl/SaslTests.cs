using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Sasl;
using MailCluster.Tests.Unit.Cluster;
using Xunit;

namespace MailCluster.Tests.Unit.Sasl;

/// <summary>PLAIN and LOGIN as octets in and out. User: alice@demo.test, password: secret.</summary>
public sealed class SaslTests : IAsyncDisposable
{
    private readonly SaslStage _stage = new();

    public ValueTask DisposeAsync() => _stage.DisposeAsync();

    [Fact]
    public void Nothing_is_offered_where_nobody_may_log_in()
    {
        Assert.Contains("PLAIN", _stage.Server.Mechanisms(SaslStage.Secure));
        SaslConnection clear = SaslStage.Secure with { Secure = false, MayLogIn = false };
        Assert.Empty(_stage.Server.Mechanisms(clear));
        Assert.Equal(SaslFailureKind.TlsNeeded, _stage.Server.Begin("PLAIN", clear).Failure?.Kind);
        Assert.Equal(SaslFailureKind.UnknownMechanism, _stage.Server.Begin("X-NONE", SaslStage.Secure).Failure?.Kind);
    }

    [Theory]
    [InlineData("\0alice@demo.test\0secret", null)]
    [InlineData("ALICE@demo.test\0alice@demo.test\0secret", null)]
    [InlineData("\0alice@demo.test\0wrong", MailErrorCode.AuthenticationFailed)]
    [InlineData("\0\0", MailErrorCode.AuthenticationFailed)]
    [InlineData("bob@demo.test\0alice@demo.test\0secret", MailErrorCode.AuthenticationFailed)]
    [InlineData("no nulls", MailErrorCode.Cannot)]
    [InlineData("one\0null", MailErrorCode.Cannot)]
    [InlineData("", MailErrorCode.Cannot)]
    public async Task PLAIN(string message, MailErrorCode? refused)
    {
        SaslStep step = await _stage.RunAsync("plain", Encoding.UTF8.GetBytes(message));
        Assert.Equal(refused, (step as SaslFailure)?.Error.Code);
        Assert.Equal(refused is null, step is SaslSuccess { Session.Account.Value: 1, Settings.User: "alice@demo.test" });
        Assert.Equal(refused == MailErrorCode.Cannot, step is SaslFailure { Kind: SaslFailureKind.Malformed });
    }

    [Fact]
    public async Task PLAIN_without_an_initial_response_is_asked_for_one()
    {
        SaslExchange exchange = _stage.Server.Begin("PLAIN", SaslStage.Secure).Exchange!;
        Assert.Equal(0, Assert.IsType<SaslChallenge>(await exchange.NextAsync(null, default)).Bytes.Length);
        Assert.IsType<SaslSuccess>(await exchange.NextAsync("\0alice@demo.test\0secret"u8.ToArray(), default));
        Assert.Equal(SaslFailureKind.Malformed, Assert.IsType<SaslFailure>(await exchange.NextAsync("\0alice@demo.test\0secret"u8.ToArray(), default)).Kind);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LOGIN(bool initial)
    {
        SaslExchange exchange = _stage.Server.Begin("LOGIN", SaslStage.Secure).Exchange!;
        if (!initial)
            Assert.Equal("Username:", Text(await exchange.NextAsync(null, default)));
        Assert.Equal("Password:", Text(await exchange.NextAsync("alice@demo.test"u8.ToArray(), default)));
        Assert.IsType<SaslSuccess>(await exchange.NextAsync("secret"u8.ToArray(), default));

        static string Text(SaslStep step) => Encoding.UTF8.GetString(Assert.IsType<SaslChallenge>(step).Bytes.Span);
    }

    [Fact]
    public async Task A_response_is_not_longer_than_a_line_can_carry()
    {
        var step = Assert.IsType<SaslFailure>(await _stage.RunAsync("PLAIN", new byte[SaslExchange.MaxResponse + 1]));
        Assert.Equal(SaslFailureKind.Malformed, step.Kind);
    }

    [Fact]
    public async Task A_server_that_only_asks_gets_no_session()
    {
        SaslExchange exchange = _stage.Server.Begin("PLAIN", SaslStage.Secure with { OpensSession = false }).Exchange!;
        var right = Assert.IsType<SaslSuccess>(await exchange.NextAsync("\0alice@demo.test\0secret"u8.ToArray(), default));
        Assert.Equal((null, "alice@demo.test"), (right.Session, right.Settings.User));
    }
}
