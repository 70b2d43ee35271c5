using System.Text;
using MailCluster.Lmtp;
using MailCluster.Tests.Unit.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Lmtp;

/// <summary>Alone: it looks at the memory of the whole process.</summary>
[Collection<MeasuresMemory>]
public sealed class LargeMessageTests
{
    [Fact]
    public async Task A_large_message_streams()
    {
        const int Blocks = 1600;
        var bodies = new FakeBodies { KeepsBytes = false };
        await using LmtpDoor door = await LmtpDoor.OpenAsync(new LmtpOptions { MaxMessageSize = 200_000_000 }, bodies);
        using LmtpClient client = await door.BeginAsync("alice@demo.test", "carol@demo.test");
        await client.SayAsync("DATA", "354 ");
        byte[] block = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('x', 62) + "\r\n", 1024)));
        long before = GC.GetTotalMemory(forceFullCollection: true);
        long most = 0;
        for (int i = 0; i < Blocks; i++)
        {
            await client.SendRawAsync(block);
            if (i % 100 == 99)
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
        }
        await client.SayAsync(".", "250 2.1.5 ");
        await client.ExpectAsync("250 2.1.5 ");
        Assert.Equal((long)Blocks * block.Length, door.Mailbox(10).Appends.Single().Request.Messages[0].Size - door.Mailbox(10).Appends.Single().Request.Messages[0].Prefix.Length);
        Assert.InRange(most, 0, 20_000_000);
    }
}
