using System.Text;
using CsCheck;
using MailCluster.Sasl;
using Xunit;

namespace MailCluster.Tests.Unit.Sasl;

/// <summary>Whatever a client answers: no exchange throws, none lets it in, and each comes to an end.</summary>
public sealed class SaslNoiseTests
{
    /// <summary>Beginnings of right messages, which are cut, joined and spoilt.</summary>
    private static readonly string[] _pieces =
    [
        "\0", "alice@demo.test", "n,,n=alice@demo.test,r=abc", "p=tls-server-end-point,,n=alice@demo.test,r=abc", "c=biws,r=abc,p=AAAA", ",", "=", "n,a=alice@demo.test,\u0001auth=Bearer x\u0001\u0001",
        "user=alice@demo.test\u0001auth=Bearer x\u0001\u0001", "y,,", "r=", ",p=", "=2C", "\ud83d\ude00", "v=", "secre",
    ];

    private static readonly Gen<string> Piece = Gen.Int[0, _pieces.Length - 1].Select(static i => _pieces[i]);

    [Fact]
    public async Task Noise_never_throws_and_never_logs_in()
    {
        await using var stage = new SaslStage(new SaslOptions { Mechanisms = SaslOptions.Known });
        SaslConnection connection = SaslStage.Bound with { CertificateUsers = ["nobody@demo.test"] };
        IReadOnlyList<string> mechanisms = stage.Server.Mechanisms(connection);
        Gen<byte[]> response = Gen.OneOf(
            Gen.Byte.Array[0, 200],
            Piece.Array[1, 6].Select(static p => Encoding.UTF8.GetBytes(string.Concat(p))),
            Gen.Select(Piece.Array[1, 4], Gen.Byte, Gen.Int[0, 300], static (p, b, at) =>
            {
                byte[] bytes = Encoding.UTF8.GetBytes(string.Concat(p));
                bytes[at % bytes.Length] = b;
                return bytes;
            }));
        await Gen.Select(Gen.Int[0, mechanisms.Count - 1].Select(i => mechanisms[i]), Gen.Bool, response.Array[1, 6]).SampleAsync(async (mechanism, initial, responses) =>
        {
            await using SaslExchange exchange = stage.Server.Begin(mechanism, connection).Exchange!;
            if (!initial)
                await exchange.NextAsync(null, default);
            int steps = 0;
            foreach (byte[] one in responses)
            {
                SaslStep step = await exchange.NextAsync(one, default);
                Assert.IsNotType<SaslSuccess>(step);
                steps += step is SaslChallenge ? 1 : 0;
            }
            Assert.InRange(steps, 0, 3);
        }, iter: 5_000);
        Assert.Equal(0, stage.Sessions.Count);
    }
}
