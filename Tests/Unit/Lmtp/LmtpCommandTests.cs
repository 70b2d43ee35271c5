using MailCluster.Contracts;
using MailCluster.Lmtp;
using MailCluster.Net;
using MailCluster.Tests.Unit.Cluster;
using Xunit;

namespace MailCluster.Tests.Unit.Lmtp;

/// <summary>Commands before a message comes, each with the answer that it gets.</summary>
public sealed class LmtpCommandTests
{
    [Fact]
    public async Task Greets_and_tells_what_works()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.ConnectAsync();
        await client.SendAsync("lhlo client.test\r\n");
        foreach (string line in new[]
        {
            "250-mx.test", "250-PIPELINING", "250-8BITMIME", "250-SMTPUTF8", "250-ENHANCEDSTATUSCODES", "250-CHUNKING", "250 SIZE 52428800",
        })
            Assert.Equal(line, await client.ReplyAsync());
        await client.SayAsync("QUIT", "221 2.0.0 ");
        await client.ExpectClosedAsync();
    }

    [Theory]
    [InlineData("HELO x", "500 5.5.1 ")]
    [InlineData("EHLO x", "500 5.5.1 ")]
    [InlineData("LHLO", "501 5.5.4 ")]
    [InlineData("LHLO a b", "501 5.5.4 ")]
    [InlineData("MAIL FROM:<a@b>", "503 5.5.1 ")]
    [InlineData("RCPT TO:<a@b>", "503 5.5.1 ")]
    [InlineData("DATA", "503 5.5.1 ")]
    [InlineData("XYZZY", "500 5.5.1 ")]
    [InlineData("", "500 5.5.1 ")]
    [InlineData("STARTTLS", "502 5.5.1 ")]
    [InlineData("NOOP x", "250 2.0.0 ")]
    [InlineData("RSET", "250 2.0.0 ")]
    [InlineData("RSET x", "501 5.5.4 ")]
    [InlineData("VRFY alice", "252 2.5.0 ")]
    [InlineData("HELP", "214 2.0.0 ")]
    [InlineData("QUIT", "221 2.0.0 ")]
    public async Task Before_lhlo(string command, string reply)
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.ConnectAsync();
        await client.SayAsync(command, reply);
    }

    [Theory]
    [InlineData("MAIL FROM:<>", "250 2.1.0 ")]
    [InlineData("mail from:<s@x.test> size=1000 body=8bitmime smtputf8", "250 2.1.0 ")]
    [InlineData("MAIL FROM: <s@x.test>", "250 2.1.0 ")]
    [InlineData("MAIL FROM:<ü@x.test> SMTPUTF8", "250 2.1.0 ")]
    [InlineData("MAIL FROM:<ü@x.test>", "553 5.6.7 ")]
    [InlineData("MAIL FROM:s@x.test", "501 5.1.7 ")]
    [InlineData("MAIL TO:<s@x.test>", "501 5.1.7 ")]
    [InlineData("MAIL FROM:<s@x.test> SIZE=x", "501 5.5.4 ")]
    [InlineData("MAIL FROM:<s@x.test> SIZE=-1", "501 5.5.4 ")]
    [InlineData("MAIL FROM:<s@x.test> SIZE=52428801", "552 5.3.4 ")]
    [InlineData("MAIL FROM:<s@x.test> SIZE=99999999999999999999999", "501 5.5.4 ")]
    [InlineData("MAIL FROM:<s@x.test> BODY=BINARYMIME", "501 5.5.4 ")]
    [InlineData("MAIL FROM:<s@x.test> RET=FULL", "555 5.5.4 ")]
    [InlineData("DATA", "503 5.5.1 ")]
    [InlineData("BDAT 0 LAST", "503 5.5.1 ")]
    public async Task Mail(string command, string reply)
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.GreetAsync();
        await client.SayAsync(command, reply);
    }

    [Theory]
    [InlineData("RCPT TO:<alice@demo.test>", "250 2.1.5 <alice@demo.test>")]
    [InlineData("rcpt to:<alice+lists@demo.test>", "250 2.1.5 ")]
    [InlineData("RCPT TO:<team@demo.test>", "250 2.1.5 ")]
    [InlineData("RCPT TO:<nobody@demo.test>", "550 5.1.1 ")]
    [InlineData("RCPT TO:<>", "501 5.1.3 ")]
    [InlineData("RCPT TO:alice@demo.test", "501 5.1.3 ")]
    [InlineData("RCPT TO:<alice@demo.test> NOTIFY=NEVER", "555 5.5.4 ")]
    [InlineData("RCPT TO:<ü@demo.test>", "553 5.6.7 ")]
    [InlineData("MAIL FROM:<t@x.test>", "503 5.5.1 ")]
    [InlineData("DATA", "503 5.5.1 ")]
    [InlineData("DATA x", "501 5.5.4 ")]
    public async Task Rcpt(string command, string reply)
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.BeginAsync();
        await client.SayAsync(command, reply);
    }

    [Theory]
    [InlineData(DeliveryState.Deferred, "450 4.2.1 ")]
    [InlineData(DeliveryState.Refused, "550 5.2.1 ")]
    public async Task An_account_that_takes_no_mail(DeliveryState state, string reply)
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        door.Alice.Current = door.Alice.Current with { Delivery = state };
        using LmtpClient client = await door.BeginAsync();
        await client.SayAsync("RCPT TO:<alice@demo.test>", reply);
        await client.SayAsync("RCPT TO:<team@demo.test>", state == DeliveryState.Refused ? "250 2.1.5 " : reply);
    }

    [Fact]
    public async Task An_account_that_the_directory_still_knows_but_is_gone()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        door.Alice.Answer = new MailError(MailErrorCode.NonExistent, "deleted");
        using LmtpClient client = await door.BeginAsync();
        await client.SayAsync("RCPT TO:<alice@demo.test>", "550 5.1.1 ");
    }

    [Fact]
    public async Task A_store_that_cannot_be_reached_is_no_reason_to_bounce()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.BeginAsync();
        door.Directory.Outage = new TimeoutException();
        await client.SayAsync("RCPT TO:<alice@demo.test>", "451 4.3.0 ");
        door.Directory.Outage = null;
        door.Alice.Answer = new MailError(MailErrorCode.Unavailable, "no PostgreSQL");
        await client.SayAsync("RCPT TO:<alice@demo.test>", "451 4.3.0 ");
        door.Alice.Answer = null;
        await client.SayAsync("RCPT TO:<alice@demo.test>", "250 2.1.5 ");
    }

    [Fact]
    public async Task Recipients_beyond_a_limit_come_in_another_transaction()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync(new LmtpOptions { MaxRecipients = 2, MaxTenants = 1 });
        using LmtpClient client = await door.BeginAsync("alice@demo.test");
        await client.SayAsync("RCPT TO:<carol@demo.test>", "452 4.5.3 ");
        await client.SayAsync("RCPT TO:<bob@demo.test>", "250 2.1.5 ");
        await client.SayAsync("RCPT TO:<alice@demo.test>", "452 4.5.3 ");
    }

    [Fact]
    public async Task Twenty_bad_commands_end_the_session()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.GreetAsync();
        for (int i = 0; i < 20; i++)
            await client.SayAsync("BAD", "500 5.5.1 ");
        await client.ExpectAsync("421 4.7.0 ");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task Lines_that_are_no_commands()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.GreetAsync();
        await client.SayAsync("NOOP " + new string('x', 5000), "500 5.5.2 ");
        await client.SendRawAsync([.. "NOOP "u8, 0xFF, 13, 10]);
        await client.ExpectAsync("500 5.5.2 ");
        await client.SayAsync("NOOP", "250 2.0.0 ");
    }

    [Fact]
    public async Task Draining_is_told_at_the_next_command()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.GreetAsync();
        Task drained = door.Server.DrainAsync(TimeSpan.FromSeconds(30));
        await client.ExpectAsync("421 4.3.2 ");
        await client.ExpectClosedAsync();
        client.Dispose();
        await drained;
    }

    [Fact]
    public async Task Starttls_forgets_the_session_and_names_itself_in_the_trace()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync(tls: true);
        using LmtpClient client = await door.GreetAsync();
        await client.SayAsync("MAIL FROM:<s@x.test>", "250 ");
        await client.SayAsync("STARTTLS x", "501 5.5.4 ");
        await client.SayAsync("STARTTLS", "220 2.0.0 ");
        await client.Peer.StartTlsAsync();
        await client.SayAsync("STARTTLS", "502 5.5.1 ");
        await client.SayAsync("MAIL FROM:<s@x.test>", "503 5.5.1 ");
        await client.SendAsync("LHLO client.test\r\nMAIL FROM:<s@x.test>\r\nRCPT TO:<alice@demo.test>\r\nDATA\r\n");
        string? line;
        do
        {
            line = await client.ReplyAsync();
            Assert.NotEqual("250-STARTTLS", line);
        }
        while (!line!.StartsWith("354", StringComparison.Ordinal));
        await client.SayAsync("a\r\n.", "250 2.1.5 ");
        Assert.Contains(" with LMTPS id ", Assert.Single(door.Delivered(10)).Prefix);
    }

    [Fact]
    public async Task Commands_behind_starttls_are_never_run()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync(tls: true);
        using LmtpClient client = await door.GreetAsync();
        await client.SendAsync("STARTTLS\r\nMAIL FROM:<evil@x.test>\r\n");
        await client.ExpectAsync("503 5.5.1 ");
        await client.ExpectClosedAsync();
    }

    [Theory]
    [InlineData(RefusalReason.TooManyConnections, "421 4.7.0 ")]
    [InlineData(RefusalReason.TooManyFromAddress, "421 4.7.0 ")]
    [InlineData(RefusalReason.ShuttingDown, "421 4.3.2 ")]
    public async Task Who_is_turned_away_is_told_why(RefusalReason reason, string line)
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        Assert.StartsWith(line, System.Text.Encoding.ASCII.GetString(door.Protocol.RefusalLine(reason)!.Value.Span));
    }
}
