using System.IO.Compression;
using System.Text;
using MailCluster.Contracts;
using MailCluster.Imap;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>UNAUTHENTICATE (RFC 8437): an operator's connection serves one user after the other, and none has anything of those before.</summary>
[Covers("UNAUTHENTICATE")]
public sealed class UnauthenticateTests
{
    private const string Before = "CAPABILITY IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE IDLE LANGUAGE AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=LOGIN";

    /// <summary>The initial response of PLAIN by which the operator acts as a user.</summary>
    internal static string AsOperator(string user) => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}\0ops\0master"));

    /// <summary>RFC 8437 §2: the next AUTHENTICATE may come along with it.</summary>
    [Fact]
    public async Task One_user_after_the_other()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        mail.Owner.HasEveryName = true;
        await using ImapClient c = await mail.ConnectAsync();
        await c.Send("a AUTHENTICATE PLAIN " + AsOperator("alice"), "b SELECT INBOX", "c UNAUTHENTICATE", "d AUTHENTICATE PLAIN " + AsOperator("bob"), "e FETCH 1 FLAGS", "f NOOP");
        await c.Expect("a OK [CAPABILITY … UNAUTHENTICATE] …");
        await c.Ok("b");
        await c.Expect($"c OK [{Before}] …", "d OK [CAPABILITY … UNAUTHENTICATE] …", "e BAD …", "f OK …");
    }

    [Fact]
    public async Task It_is_for_operators_alone()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.ConnectAsync();
        await c.Send("a UNAUTHENTICATE", "b LOGIN alice secret", "c UNAUTHENTICATE", "d CAPABILITY", "e NAMESPACE");
        await c.Expect("a BAD …", "b OK …", "c BAD …");
        Assert.DoesNotContain("UNAUTHENTICATE", (await c.Ok("d"))[0]);
        await c.Expect("* NAMESPACE …", "e OK …");
        await using ImapClient operating = await mail.ConnectAsync();
        await operating.Run("a AUTHENTICATE PLAIN " + AsOperator("alice"));
        await operating.Send("b UNAUTHENTICATE x", "c NOOP");
        await operating.Expect("b BAD …", "c OK …");
    }

    /// <summary>RFC 8437 §4: all that extensions have kept is forgotten.</summary>
    [Fact]
    public async Task Nothing_of_a_user_is_left()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        mail.Owner.Add(MailboxPath.Parse("ä", '/'));
        await mail.FillAsync("\r\none", "\r\ntwo");
        await using ImapClient c = await mail.ConnectAsync();
        await c.Run("a AUTHENTICATE PLAIN " + AsOperator("alice"));
        await c.Run("a ENABLE IMAP4rev2 QRESYNC UTF8=ACCEPT UIDONLY");
        await c.Run("a NOTIFY SET (SELECTED (MessageNew MessageExpunge)) (PERSONAL (MailboxName))");
        await c.Run("a SELECT INBOX");
        await c.Run("a UID SEARCH RETURN (SAVE) ALL");
        Assert.Equal(1, mail.Owner.Watchers);
        Assert.NotNull(Assert.Single(mail.Sessions.All).Selected);
        await c.Run("b UNAUTHENTICATE");
        Assert.Equal(0, mail.Owner.Watchers);
        Assert.Empty(mail.Sessions.All);
        // No larger literal than before any log-in.
        int large = (int)new ImapOptions().Commands.LiteralLimitBeforeLogin + 1;
        await c.Send("c NOOP", "d SELECT INBOX", "e FETCH 1 FLAGS", "m NOOP", $"f LOGIN {{{large}+}}");
        await c.SendRaw(new string('x', large) + " y\r\n");
        await c.Expect("c OK …", "d BAD …", "e BAD …", "m OK …", "f BAD …");
        await c.Run("g AUTHENTICATE PLAIN " + AsOperator("alice"));
        await c.Send("h LIST \"\" *");
        await c.Expect("* LIST (…) \"/\" \"INBOX\"", "* LIST (…) \"/\" \"&AOQ-\"", "h OK …");
        Assert.Contains("* 0 RECENT", await c.Run("i SELECT INBOX"));
        await c.Send("j SEARCH $", "k FETCH 1 FLAGS", "l STORE 1 +FLAGS (\\Deleted)", "m EXPUNGE");
        await c.Expect("* SEARCH", "j OK …", "* 1 FETCH (FLAGS (…))", "k OK …", "* 1 FETCH (FLAGS (…\\Deleted…))", "l OK …", "* 1 EXPUNGE", "m OK …");
    }

    /// <summary>A mailbox that was selected is closed, not expunged.</summary>
    [Fact]
    public async Task Nothing_is_expunged()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await mail.FillAsync("\r\none");
        await using ImapClient c = await mail.ConnectAsync();
        await c.Run("a AUTHENTICATE PLAIN " + AsOperator("alice"));
        await c.Run("a SELECT INBOX");
        await c.Run("a STORE 1 +FLAGS (\\Deleted)");
        Assert.Empty(await c.Run("b UNAUTHENTICATE"));
        Assert.Equal(1, mail.Inbox.StatusNow.Messages);
    }

    [Fact]
    public async Task TLS_stays()
    {
        await using FakeMail mail = await FakeMail.StartAsync(tls: true);
        await using ImapClient c = await mail.ConnectAsync();
        await c.Run("a STARTTLS");
        await c.StartTls();
        await c.Run("a AUTHENTICATE PLAIN " + AsOperator("alice"));
        await c.Run("b UNAUTHENTICATE");
        await c.Send("c STARTTLS", "d LOGIN alice secret");
        await c.Expect("c BAD …", "d OK …");
    }

    /// <summary>RFC 8437 §4.1: DEFLATE ends, the client's behind the command, the server's behind its OK; what comes along with the command is in clear.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Compression_ends_with_it(bool tls)
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { CompressedConnections = 1 }, tls);
        await using ImapClient c = await mail.ConnectAsync();
        if (tls)
        {
            await c.Run("a STARTTLS");
            await c.StartTls();
        }
        await c.Run("a AUTHENTICATE PLAIN " + AsOperator("alice"));
        // The one place is free again each time.
        for (int round = 0; round < 3; round++)
        {
            await c.Run("b COMPRESS DEFLATE");
            c.StartDeflate();
            await c.Send("c CAPABILITY", "d NOOP");
            Assert.EndsWith(" UNAUTHENTICATE", (await c.Ok("c"))[0]);
            await c.Ok("d");
            await c.Send("e NOOP", "f UNAUTHENTICATE");
            await c.SendUncompressed("g NOOP", "h AUTHENTICATE PLAIN " + AsOperator("alice"), "i NAMESPACE");
            await c.Expect("e OK …", "f OK [CAPABILITY … AUTH=PLAIN …] …");
            await c.EndDeflate();
            await c.Expect("g OK …", "h OK [CAPABILITY … COMPRESS=DEFLATE …] …", "* NAMESPACE …", "i OK …");
        }
    }

    /// <summary>The client's stream may end itself, and a flush may come in pieces.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task However_the_client_ends_its_stream(bool final)
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.ConnectAsync();
        await c.Run("a AUTHENTICATE PLAIN " + AsOperator("alice"));
        await c.Run("b COMPRESS DEFLATE");
        c.StartDeflate();
        await c.Run("c NOOP");
        var octets = new MemoryStream();
        await using (var deflate = new DeflateStream(octets, CompressionLevel.Optimal, leaveOpen: true))
        {
            await deflate.WriteAsync("d UNAUTHENTICATE\r\n"u8.ToArray());
            if (!final)
            {
                await deflate.FlushAsync();
                byte[] flushed = octets.ToArray();
                await c.SendUncompressed(flushed[..^3]);
                await c.SendUncompressed(flushed[^3..]);
            }
        }
        if (final)
            await c.SendUncompressed(octets.ToArray());
        await c.Expect("d OK …");
        await c.EndDeflate();
        await c.Run("e NOOP");
        await c.Run("f LOGIN alice secret");
    }

    [Fact]
    public async Task Who_goes_on_compressing_is_not_understood()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.ConnectAsync();
        await c.Run("a AUTHENTICATE PLAIN " + AsOperator("alice"));
        await c.Run("b COMPRESS DEFLATE");
        c.StartDeflate();
        await c.Send("d UNAUTHENTICATE", "e NOOP");
        await c.Expect("* BYE …");
        await c.Closed();
    }

    /// <summary>A connection that is not logged in counts for its address again.</summary>
    [Fact]
    public async Task Without_room_for_its_address_it_ends()
    {
        await using FakeMail mail = await FakeMail.StartAsync(listener: static l => l with { MaxConnectionsPerAddress = 1 });
        await using ImapClient c = await mail.ConnectAsync();
        await c.Run("a AUTHENTICATE PLAIN " + AsOperator("alice"));
        await c.Run("b UNAUTHENTICATE");
        await using (ImapClient refused = await mail.ConnectSilentlyAsync())
            await refused.Expect("* BYE …");
        await c.Run("c AUTHENTICATE PLAIN " + AsOperator("alice"));
        await using ImapClient waiting = await mail.ConnectAsync();
        await c.Send("d UNAUTHENTICATE", "e AUTHENTICATE PLAIN " + AsOperator("alice"));
        await c.Expect("* BYE …");
        await c.Closed();
    }
}
