using System.Text;
using MailCluster.Tests.Unit.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Mta;

/// <summary>socketmap_table(5).</summary>
public sealed class SocketmapTests
{
    [Theory]
    [InlineData("domains demo.test", "OK demo.test")]
    [InlineData("domains elsewhere.test", "NOTFOUND ")]
    [InlineData("recipients ann@demo.test", "OK ann@demo.test")]
    [InlineData("recipients ann+folder@demo.test", "OK ann+folder@demo.test")]
    [InlineData("recipients team@demo.test", "OK team@demo.test")]
    [InlineData("recipients nobody@demo.test", "NOTFOUND ")]
    [InlineData("recipients @demo.test", "NOTFOUND ")]
    [InlineData("recipients ann", "NOTFOUND ")]
    [InlineData("senders ann@demo.test", "OK ann@demo.test")]
    [InlineData("senders team@demo.test", "OK ann@demo.test,bob@demo.test")]
    [InlineData("senders nobody@demo.test", "NOTFOUND ")]
    [InlineData("aliases team@demo.test", "OK ann@demo.test,bob@demo.test,far@away.test")]
    [InlineData("aliases ann@demo.test", "NOTFOUND ")]
    [InlineData("other ann@demo.test", "PERM There is no such map")]
    [InlineData("domains", "PERM A request is the name of a map, a space, and a key")]
    [InlineData("", "PERM A request is the name of a map, a space, and a key")]
    public async Task Maps(string request, string answer)
    {
        await using var stage = new MtaStage();
        using Peer postfix = await stage.SocketmapAsync();
        await postfix.SendAsync($"{request.Length}:{request},");
        string netstring = $"{answer.Length}:{answer},";
        Assert.Equal(netstring, await ReadAsync(postfix, netstring.Length));
    }

    [Fact]
    public async Task A_directory_that_is_away_is_no_answer_that_nobody_exists()
    {
        await using var stage = new MtaStage();
        stage.Directory.Outage = new TimeoutException();
        using Peer postfix = await stage.SocketmapAsync();
        await postfix.SendAsync("24:recipients ann@demo.test,");
        Assert.Equal("36:TEMP The mail store can't be reached,", await ReadAsync(postfix, 40));
    }

    [Fact]
    public async Task Requests_in_pieces_and_several_at_once()
    {
        await using var stage = new MtaStage();
        using Peer postfix = await stage.SocketmapAsync();
        foreach (string piece in new[] { "1", "7", ":domains demo", ".test,17:domains demo.test", "," })
        {
            await postfix.SendAsync(piece);
            await postfix.Stream.FlushAsync();
        }
        const string answer = "12:OK demo.test,";
        Assert.Equal(answer + answer, await ReadAsync(postfix, 2 * answer.Length));
    }

    [Theory]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("99999:")]
    [InlineData("5000:")]
    [InlineData(":,")]
    [InlineData("3:abcd")]
    [InlineData("1:\xFF,")]
    public async Task What_is_no_netstring_ends_the_connection(string text)
    {
        await using var stage = new MtaStage();
        using Peer postfix = await stage.SocketmapAsync();
        await postfix.SendAsync(text);
        Assert.True(await postfix.IsClosedAsync());
    }

    private static async Task<string> ReadAsync(Peer peer, int octets)
    {
        byte[] buffer = new byte[octets];
        await peer.Stream.ReadExactlyAsync(buffer);
        return Encoding.UTF8.GetString(buffer);
    }
}
