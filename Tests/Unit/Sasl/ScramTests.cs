using System.Security.Cryptography;
using System.Text;
using MailCluster.Contracts;
using MailCluster.Sasl;
using MailCluster.Storage.Directories;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Sasl;

/// <summary>SCRAM with a client of a few lines. User: alice@demo.test, password: secret.</summary>
[Covers("AUTH=SCRAM-SHA-256", "AUTH=SCRAM-SHA-256-PLUS")]
public sealed class ScramTests : IAsyncDisposable
{
    private readonly SaslStage _stage = new();

    public ValueTask DisposeAsync() => _stage.DisposeAsync();

    /// <summary>The exchange of RFC 7677 §3: proof and signature.</summary>
    [Fact]
    public void The_example_of_the_rfc()
    {
        const string Salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
        ScramVerifier verifier = ScramVerifier.Parse(ScramVerifier.Create("pencil", ScramHash.Sha256, Convert.FromBase64String(Salt)))!;
        const string First = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        byte[] signed = Encoding.ASCII.GetBytes($"n=user,r=rOprNGfwEbeRWgbNEkqO,{First},c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
        byte[]? signature = verifier.Verify(signed, Convert.FromBase64String("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
        Assert.Equal("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", Convert.ToBase64String(signature!));
        Assert.Null(verifier.Verify(signed, new byte[32]));
        Assert.Null(verifier.Verify(signed, new byte[31]));
    }

    /// <summary>That of RFC 5802 §5, with SHA-1.</summary>
    [Fact]
    public void The_example_with_SHA_1()
    {
        ScramVerifier verifier = ScramVerifier.Parse(ScramVerifier.Create("pencil", ScramHash.Sha1, Convert.FromBase64String("QSXCR+Q6sek8bf92")))!;
        byte[] signed = Encoding.ASCII.GetBytes(
            "n=user,r=fyko+d2lbbFgONRv9qkxdawL,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096,c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j");
        Assert.Equal("rmF9pqV8S7suAoZWja4dJRkFsKQ=", Convert.ToBase64String(verifier.Verify(signed, Convert.FromBase64String("v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="))!));
    }

    [Theory]
    [InlineData("SCRAM-SHA-256", "n", true)]
    [InlineData("SCRAM-SHA-256", "y", false)]
    [InlineData("SCRAM-SHA-256-PLUS", "p=tls-server-end-point", true)]
    // Somebody in between has hidden that the server has channel binding.
    [InlineData("SCRAM-SHA-256", "y", true, MailErrorCode.AuthenticationFailed)]
    [InlineData("SCRAM-SHA-256", "p=tls-server-end-point", true, MailErrorCode.AuthenticationFailed)]
    [InlineData("SCRAM-SHA-256-PLUS", "n", true, MailErrorCode.AuthenticationFailed)]
    [InlineData("SCRAM-SHA-256-PLUS", "p=tls-unique", true, MailErrorCode.Cannot)]
    public async Task Channel_binding(string mechanism, string flag, bool bound, MailErrorCode? refused = null)
    {
        SaslConnection connection = bound ? SaslStage.Bound : SaslStage.Secure;
        SaslStep step = await RunAsync(mechanism, connection, flag, "alice@demo.test", "secret", flag[0] == 'p' ? connection.ServerEndPoint!.Value.ToArray() : []);
        Assert.Equal(refused, (step as SaslFailure)?.Error.Code);
        Assert.Equal(refused is null, step is SaslSuccess { Session.Account.Value: 1 });
    }

    [Fact]
    public async Task Another_server_s_channel_is_not_this_one()
    {
        SaslStep step = await RunAsync("SCRAM-SHA-256-PLUS", SaslStage.Bound, "p=tls-server-end-point", "alice@demo.test", "secret", [9, 9, 9]);
        Assert.Equal(MailErrorCode.AuthenticationFailed, ((SaslFailure)step).Error.Code);
        Assert.Equal(SaslFailureKind.UnknownMechanism, _stage.Server.Begin("SCRAM-SHA-256-PLUS", SaslStage.Secure).Failure?.Kind);
        Assert.Equal(SaslFailureKind.UnknownMechanism, _stage.Server.Begin("SCRAM-SHA-1", SaslStage.Secure).Failure?.Kind);
    }

    [Theory]
    [InlineData("alice@demo.test", "wrong")]
    [InlineData("nobody@demo.test", "secret")]
    public async Task A_wrong_password_and_an_unknown_user_fail_at_the_end(string user, string password)
    {
        SaslStep step = await RunAsync("SCRAM-SHA-256", SaslStage.Secure, "n", user, password, []);
        Assert.Equal(new MailError(MailErrorCode.AuthenticationFailed, "Authentication failed."), ((SaslFailure)step).Error);
    }

    [Theory]
    [InlineData("")]
    [InlineData("n,,n=alice")]
    [InlineData("n,,n=,r=abc")]
    [InlineData("x,,n=alice,r=abc")]
    // So MailKit 4.18 writes an authorization identity: without its "a=".
    [InlineData("n,alice,n=alice,r=abc")]
    [InlineData("n,,n=al=ice,r=abc")]
    [InlineData("n,,m=more,n=alice,r=abc")]
    [InlineData("n,,n=alice,r=")]
    [InlineData("n,,n=alice,r=a b")]
    public async Task What_is_no_first_message(string message) =>
        Assert.Equal(SaslFailureKind.Malformed, ((SaslFailure)await _stage.RunAsync("SCRAM-SHA-256", Encoding.UTF8.GetBytes(message))).Kind);

    [Fact]
    public void Names_with_commas_and_equals_signs()
    {
        ScramFirst first = ScramFirst.Parse("n,a=a=2Cb,n=x=3Dy=2Cz,r=abc,e=xt"u8)!;
        Assert.Equal(("a,b", "x=y,z", "abc", "n,a=a=2Cb,", "n=x=3Dy=2Cz,r=abc,e=xt"), (first.Authorize, first.User, first.Nonce, first.Gs2Header, first.Bare));
    }

    [Theory]
    [InlineData("n,a=alice@demo.test", "hands", true)]
    [InlineData("n,a=alice@demo.test", "wrong", false)]
    [InlineData("n,a=nobody@demo.test", "hands", false)]
    public async Task An_operator_acts_as_a_user(string header, string password, bool right)
    {
        await using SaslExchange exchange = _stage.Server.Begin("SCRAM-SHA-256", SaslStage.Secure).Exchange!;
        SaslStep step = await ScramClient.RunAsync(exchange, header, "ops", password, []);
        Assert.Equal(right, step is SaslChallenge);
        Assert.Equal(right, right && await exchange.NextAsync([], default) is SaslSuccess { Session.Operator: "ops", Settings.User: "alice@demo.test" } success && await EndedAsync(success));

        static async Task<bool> EndedAsync(SaslSuccess success)
        {
            await success.Session!.DisposeAsync();
            return true;
        }
    }

    [Fact]
    public async Task A_log_in_whose_last_word_is_not_answered_is_ended()
    {
        await using (SaslExchange exchange = _stage.Server.Begin("SCRAM-SHA-256", SaslStage.Secure).Exchange!)
        {
            Assert.IsType<SaslChallenge>(await ScramClient.RunAsync(exchange, "n", "alice@demo.test", "secret", []));
            Assert.Equal(1, _stage.Sessions.Count);
        }
        Assert.Equal(0, _stage.Sessions.Count);
    }

    private async Task<SaslStep> RunAsync(string mechanism, SaslConnection connection, string flag, string user, string password, byte[] binding)
    {
        await using SaslExchange exchange = _stage.Server.Begin(mechanism, connection).Exchange!;
        SaslStep step = await ScramClient.RunAsync(exchange, flag, user, password, binding);
        return step is SaslChallenge ? await exchange.NextAsync([], default) : step;
    }
}

/// <summary>A client of SCRAM-SHA-256.</summary>
internal static class ScramClient
{
    /// <summary>Up to the server's last message, whose signature is checked, or to its refusal.</summary>
    public static async Task<SaslStep> RunAsync(SaslExchange exchange, string flag, string user, string password, byte[] binding)
    {
        string bare = $"n={user},r=c0ffee", header = flag + (flag.Contains(",a=") ? "," : ",,");
        SaslStep step = await exchange.NextAsync(Encoding.UTF8.GetBytes(header + bare), default);
        if (step is not SaslChallenge challenge)
            return step;
        string first = Encoding.UTF8.GetString(challenge.Bytes.Span);
        string[] fields = first.Split(',');
        Assert.StartsWith("r=c0ffee", fields[0]);
        byte[] salted = Rfc2898DeriveBytes.Pbkdf2(password, Convert.FromBase64String(fields[1][2..]), int.Parse(fields[2][2..]), HashAlgorithmName.SHA256, 32);
        byte[] clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        string without = $"c={Convert.ToBase64String([.. Encoding.UTF8.GetBytes(header), .. binding])},{fields[0]}";
        byte[] signed = Encoding.UTF8.GetBytes($"{bare},{first},{without}");
        byte[] proof = [.. HMACSHA256.HashData(SHA256.HashData(clientKey), signed).Zip(clientKey, static (a, b) => (byte)(a ^ b))];
        step = await exchange.NextAsync(Encoding.UTF8.GetBytes($"{without},p={Convert.ToBase64String(proof)}"), default);
        if (step is SaslChallenge last)
            Assert.Equal("v=" + Convert.ToBase64String(HMACSHA256.HashData(HMACSHA256.HashData(salted, "Server Key"u8), signed)), Encoding.UTF8.GetString(last.Bytes.Span));
        return step;
    }
}
