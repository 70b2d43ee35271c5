using MailCluster.Imap;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>COMPRESS=DEFLATE (RFC 4978).</summary>
[Covers("COMPRESS=DEFLATE")]
public sealed class CompressTests
{
    /// <summary>The example of RFC 4978 §3.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Both_sides_compress(bool tls)
    {
        await using FakeMail mail = await FakeMail.StartAsync(tls: tls);
        await using ImapClient c = await mail.ConnectAsync();
        if (tls)
        {
            await c.Send("a STARTTLS");
            await c.Expect("a OK …");
            await c.StartTls();
        }
        await c.Send("b LOGIN alice secret", "b2 ENABLE IMAP4rev2");
        await c.Expect("b OK [CAPABILITY … COMPRESS=DEFLATE] …", "* ENABLED IMAP4rev2", "b2 OK …");
        await c.Send("c COMPRESS DEFLATE");
        await c.Expect("c OK DEFLATE active");
        c.StartDeflate();
        await c.Send("d COMPRESS DEFLATE", "e CAPABILITY");
        Assert.Empty(await c.No("d", "[COMPRESSIONACTIVE] …"));
        Assert.DoesNotContain("COMPRESS", (await c.Ok("e"))[0]);
        // What was enabled stays, and literals stream.
        string large = "\r\n" + string.Concat(Enumerable.Range(0, 20_000).Select(static i => i + " "));
        await c.Append("f", "INBOX", large);
        await c.Send("g CREATE \"\u00c3\u00a4\"", "h LIST \"\" \"*\"");
        await c.Expect("g OK …", "* LIST (…) \"/\" \"INBOX\"", "* LIST (…) \"/\" \"\u00c3\u00a4\"", "h OK …");
        await c.Run("i SELECT INBOX");
        await c.Send("j FETCH 1 BODY.PEEK[]");
        await c.Expect($"* 1 FETCH (BODY[] {{{large.Length}}}\r\n{large})", "j OK …");
        await c.Send("k LOGOUT");
        await c.Expect("* BYE …", "k OK …");
    }

    [Fact]
    public async Task Errors()
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { CompressedConnections = 1 });
        await using ImapClient c = await mail.ConnectAsync();
        await c.Send("a COMPRESS DEFLATE", "b LOGIN alice secret", "c COMPRESS GZIP", "d COMPRESS", "e COMPRESS DEFLATE x", "f COMPRESS DEFLATE", "g NOOP");
        await c.Expect("a BAD …", "b OK …", "c BAD …", "d BAD …", "e BAD …", "f BAD …", "g OK …");
        await c.Run("h COMPRESS DEFLATE");
        c.StartDeflate();
        await c.Run("i NOOP");
        ImapClient second = await mail.LogInAsync();
        await using (second)
        {
            await second.Send("a COMPRESS DEFLATE");
            await second.Expect("a NO [LIMIT] …");
            await second.Run("b NOOP");
            await c.Send("j LOGOUT");
            await c.Expect("* BYE …", "j OK …");
            await c.DisposeAsync();
            // Its place is free once its session has ended.
            for (string tagged = ""; !tagged.StartsWith("c OK", StringComparison.Ordinal);)
            {
                await second.Send("c COMPRESS DEFLATE");
                (tagged, _) = await second.Answer("c");
            }
            second.StartDeflate();
            await second.Run("d NOOP");
        }
    }

    [Fact]
    public async Task What_is_not_compressed_ends_the_connection()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Run("a COMPRESS DEFLATE");
        // The kind of block that RFC 1951 §3.2.3 keeps free.
        await c.SendBytes([0xff, 0xff, 0xff, 0xff]);
        await c.Closed();
    }

    /// <summary>A quarter of a gigabyte in as many kilobytes is a line that is too long, and ends as any other.</summary>
    [Fact]
    public async Task A_bomb_is_a_long_line()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Run("a COMPRESS DEFLATE");
        c.StartDeflate();
        byte[] piece = new byte[1024 * 1024];
        Array.Fill(piece, (byte)'x');
        try
        {
            for (int i = 0; i < 256; i++)
                await c.SendBytes(piece);
        }
        catch (IOException)
        {
            // The server has had enough.
        }
        await c.Expect("* BYE …");
    }

    /// <summary>News wakes a compressed IDLE, and each piece of it can be read as it comes.</summary>
    [Fact]
    public async Task IDLE_of_one_hears_of_the_other()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await mail.SelectedAsync(2);
        // Without RECENT, which goes to either of them.
        await c[1].Run("a ENABLE IMAP4rev2");
        await c[1].Run("a COMPRESS DEFLATE");
        c[1].StartDeflate();
        await c[1].Send("b IDLE");
        await c[1].Expect("+ idling");
        for (int i = 1; i <= 3; i++)
        {
            await c[2].Append("a", "INBOX", "\r\nx");
            await c[1].Expect($"* {i} EXISTS");
        }
        await c[1].Send("DONE");
        await c[1].Expect("b OK …");
    }
}
