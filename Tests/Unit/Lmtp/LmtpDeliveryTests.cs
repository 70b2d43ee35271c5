using System.Text;
using MailCluster.Contracts;
using MailCluster.Lmtp;
using Xunit;

namespace MailCluster.Tests.Unit.Lmtp;

/// <summary>Messages: by DATA, by BDAT, and what their recipients answer.</summary>
public sealed class LmtpDeliveryTests
{
    [Fact]
    public async Task A_burst_of_commands_is_answered_in_order_and_each_recipient_for_itself()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.GreetAsync();
        await client.SendAsync("MAIL FROM:<s@x.test>\r\nRCPT TO:<bob@demo.test>\r\nRCPT TO:<nobody@demo.test>\r\nRCPT TO:<alice@demo.test>\r\nDATA\r\n");
        foreach (string reply in new[] { "250 2.1.0 ", "250 2.1.5 ", "550 5.1.1 ", "250 2.1.5 ", "354 " })
            await client.ExpectAsync(reply);
        await client.SendAsync("Subject: hi\r\n\r\n..dot\r\n.\r\nQUIT\r\n");
        await client.ExpectAsync("250 2.1.5 <bob@demo.test> delivered ");
        await client.ExpectAsync("250 2.1.5 <alice@demo.test> delivered ");
        await client.ExpectAsync("221 2.0.0 ");
        (string prefix, string body) = Assert.Single(door.Delivered(10));
        Assert.Equal("Subject: hi\r\n\r\n.dot\r\n", body);
        Assert.Matches(
            @"^Return-Path: <s@x.test>\r\nDelivered-To: alice@demo.test\r\nReceived: from client.test \(\[127.0.0.1\]\)\r\n\tby mx.test with LMTP id \S+\r\n\tfor <alice@demo.test>; \w{3}, \d{1,2} \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n$",
            prefix);
        // One body for both, with a claim for each.
        Assert.Equal([(new TenantId(1), 2, null)], door.Bodies.Staged);
        NewMessage[] messages = [.. new[] { 10, 20 }.Select(id => Assert.Single(door.Mailbox(id).Appends).Request.Messages[0])];
        Assert.Equal([0, 1], messages.Select(static m => m.Claim).Order());
        Assert.Equal(messages[0].Body, messages[1].Body);
        Assert.Equal((uint)(prefix.Length + body.Length), messages[0].Size);
        Assert.Empty(door.Bodies.Discarded);
    }

    [Fact]
    public async Task Recipients_of_a_burst_are_looked_up_together_and_answered_before_anything_behind_them()
    {
        // Only ends a hang: where they were not looked up together the first would wait for ever.
        await using LmtpDoor door = await LmtpDoor.OpenAsync(new LmtpOptions { MaxRecipients = 3 }, retryFor: TimeSpan.FromMinutes(1));
        using LmtpClient client = await door.GreetAsync();
        // The first is not found before the last was asked for.
        var last = new TaskCompletionSource();
        door.Directory.OnFindRecipients = address =>
        {
            if (address.StartsWith("bob", StringComparison.Ordinal))
                last.SetResult();
            return address.StartsWith("alice", StringComparison.Ordinal) ? last.Task : Task.CompletedTask;
        };
        await client.SendAsync("MAIL FROM:<s@x.test>\r\nRCPT TO:<alice@demo.test>\r\nRCPT TO:<nobody@demo.test>\r\nRCPT TO:<bob@demo.test>\r\nRCPT TO:nobody\r\n"
            + "RCPT TO:<carol@demo.test>\r\nRCPT TO:<team@demo.test>\r\nRSET\r\nRCPT TO:<bob@demo.test>\r\nNOOP\r\n");
        foreach (string reply in new[] { "250 2.1.0 ", "250 2.1.5 <alice", "550 5.1.1 <nobody", "250 2.1.5 <bob", "501 5.1.3 ", "250 2.1.5 <carol", "452 4.5.3 ", "250 2.0.0 ", "503 5.5.1 ", "250 2.0.0 " })
            await client.ExpectAsync(reply);
    }

    [Fact]
    public async Task Tenants_never_share_a_body()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.BeginAsync("alice@demo.test", "carol@demo.test");
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync("a\r\n.", "250 2.1.5 <alice@demo.test>");
        await client.ExpectAsync("250 2.1.5 <carol@demo.test>");
        Assert.Equal([1L, 2L], door.Bodies.Staged.Select(static s => s.Tenant.Value).Order());
        Assert.NotEqual(door.Mailbox(10).Appends.Single().Request.Messages[0].Body, door.Mailbox(30).Appends.Single().Request.Messages[0].Body);
        Assert.Equal("a\r\n", Assert.Single(door.Delivered(30)).Body);
    }

    [Fact]
    public async Task An_alias_is_delivered_to_all_and_answered_once()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.BeginAsync("team@demo.test");
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync("a\r\n.", "250 2.1.5 <team@demo.test>");
        await client.SayAsync("NOOP", "250 2.0.0 ");
        Assert.Contains("Delivered-To: team@demo.test\r\n", Assert.Single(door.Delivered(10)).Prefix);
        Assert.Single(door.Delivered(20));
    }

    [Theory]
    [InlineData("alice+Lists@demo.test", 11)]
    [InlineData("alice+lists@demo.test", 11)]
    [InlineData("alice+lists/dev@demo.test", 12)]
    [InlineData("alice+unknown@demo.test", 10)]
    [InlineData("alice+@demo.test", 10)]
    [InlineData("alice+/@demo.test", 10)]
    [InlineData("alice+hidden@demo.test", 10)]
    public async Task A_sub_address_names_a_folder_that_exists(string address, int mailbox)
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        door.Alice.AddFolder(11, "Lists");
        door.Alice.AddFolder(12, "Lists", "Dev");
        door.Alice.Mailboxes.Add(new MailboxInfo(new MailboxId(13), MailboxPath.Of("hidden"), false, [], null));
        using LmtpClient client = await door.BeginAsync(address);
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync("a\r\n.", "250 2.1.5 ");
        Assert.Single(door.Delivered(mailbox));
    }

    [Fact]
    public async Task A_folder_deleted_in_between_does_not_lose_the_message()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        door.Alice.AddFolder(11, "Lists");
        door.Mailbox(11).OnAppend = static _ => new MailError(MailErrorCode.MailboxGone, "gone");
        using LmtpClient client = await door.BeginAsync("alice+Lists@demo.test");
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync("a\r\n.", "250 2.1.5 ");
        Assert.Single(door.Delivered(10));
    }

    [Fact]
    public async Task A_folder_that_got_another_name_is_looked_for_again_by_its_name()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        door.Alice.AddFolder(11, "Lists");
        using LmtpClient client = await door.BeginAsync("alice+Lists@demo.test");
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync("a\r\n.", "250 2.1.5 ");
        // As the rows would: the name is remembered, and belongs to another mailbox now.
        door.Alice.Mailboxes.RemoveAll(static m => m.Id.Value == 11);
        door.Alice.AddFolder(12, "Lists");
        door.Mailbox(11).OnAppend = static request => new MailError(MailErrorCode.Renamed, request.Path!.ToString());
        await client.SayAsync("MAIL FROM:<>", "250 ");
        await client.SayAsync("RCPT TO:<alice+Lists@demo.test>", "250 ");
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync("b\r\n.", "250 2.1.5 ");
        Assert.Equal("b\r\n", Assert.Single(door.Delivered(12)).Body);
        AppendRequest refused = door.Mailbox(11).Appends.Last().Request, taken = door.Mailbox(12).Appends.Single().Request;
        Assert.Equal((refused.Operation, MailboxPath.Of("Lists")), (taken.Operation, taken.Path));
    }

    [Theory]
    [InlineData(MailErrorCode.OverQuota, "552 5.2.2 <alice@demo.test>")]
    [InlineData(MailErrorCode.NonExistent, "550 5.1.1 <alice@demo.test>")]
    [InlineData(MailErrorCode.DeliveryDeferred, "450 4.2.1 <alice@demo.test>")]
    [InlineData(MailErrorCode.DeliveryRefused, "550 5.2.1 <alice@demo.test>")]
    [InlineData(MailErrorCode.Limit, "452 4.2.0 <alice@demo.test>")]
    [InlineData(MailErrorCode.Unavailable, "451 4.3.0 ")]
    [InlineData(MailErrorCode.BodyGone, "451 4.3.0 ")]
    [InlineData(MailErrorCode.MailboxGone, "451 4.2.0 <alice@demo.test>")]
    public async Task A_refusal_has_its_code_and_touches_no_other_recipient(MailErrorCode code, string reply)
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        door.Mailbox(10).OnAppend = _ => new MailError(code, "no");
        using LmtpClient client = await door.BeginAsync("alice@demo.test", "bob@demo.test", "team@demo.test");
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync("a\r\n.", reply);
        await client.ExpectAsync("250 2.1.5 <bob@demo.test>");
        await client.ExpectAsync(reply.Replace("alice", "team"));
        // Claims that nobody took are given up.
        Assert.Single(door.Bodies.Discarded);
        await client.SayAsync("MAIL FROM:<>", "250 2.1.0 ");
    }

    [Fact]
    public async Task A_bug_in_one_delivery_is_a_temporary_failure_of_it_alone()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        door.Mailbox(10).OnAppend = static _ => throw new InvalidOperationException("bug");
        using LmtpClient client = await door.BeginAsync("alice@demo.test", "bob@demo.test");
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync("a\r\n.", "451 4.3.0 ");
        await client.ExpectAsync("250 2.1.5 <bob@demo.test>");
    }

    [Fact]
    public async Task The_same_delivery_again_carries_the_same_identity()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        door.Mailbox(20).OnAppend = static _ => new AppendResult(1, UidSet.Single(1), 2, Duplicate: true);
        foreach (string body in new[] { "a", "a", "b" })
        {
            using LmtpClient client = await door.BeginAsync("alice@demo.test", "bob@demo.test");
            await client.SayAsync("DATA", "354 ");
            await client.SayAsync(body + "\r\n.", "250 2.1.5 ");
            await client.ExpectAsync("250 2.1.5 <bob@demo.test>");
        }
        Guid?[] ids = [.. door.Mailbox(10).Appends.Select(static a => a.Request.Delivery)];
        Assert.Equal(ids[0], ids[1]);
        Assert.NotEqual(ids[0], ids[2]);
        Assert.NotEqual(ids[0], door.Mailbox(20).Appends.First().Request.Delivery);
        Assert.Equal(3, door.Mailbox(10).Appends.Select(static a => a.Request.Operation).Distinct().Count());
        Assert.Equal(3, door.Bodies.Discarded.Count);
        Assert.Contains(door.Log.Lines, static l => l.StartsWith("delivery duplicate ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_delivery_is_one_line_of_the_log_without_content()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.BeginAsync("alice@demo.test");
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync("Subject: private\r\n\r\nsecret\r\n.", "250 2.1.5 ");
        string line = Assert.Single(door.Log.Lines);
        Assert.Matches(
            "^delivery delivered queue=\\S+ message-id=<id@test> size=28 from=<s@x.test> to=<alice@demo.test> user=alice@demo.test mailbox=INBOX uid=1 session=\\S+ address=127.0.0.1 reason=\"\"$",
            line);
    }

    [Fact]
    public async Task A_too_large_message_is_refused_after_its_end_and_the_session_goes_on()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync(new LmtpOptions { MaxMessageSize = 1000 });
        using LmtpClient client = await door.BeginAsync("alice@demo.test", "bob@demo.test");
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync(new string('x', 1500) + "\r\n.", "552 5.3.4 ");
        await client.ExpectAsync("552 5.3.4 ");
        await client.SayAsync("NOOP", "250 ");
        Assert.Empty(door.Mailboxes);
        Assert.Empty(door.Bodies.Staged);
    }

    [Fact]
    public async Task A_message_far_beyond_the_limit_ends_the_session()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync(new LmtpOptions { MaxMessageSize = 1000 });
        using LmtpClient client = await door.BeginAsync("alice@demo.test");
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync(new string('x', 3000), "552 5.3.4 ");
        await client.ExpectClosedAsync();
        Assert.Empty(door.Bodies.Staged);
    }

    [Fact]
    public async Task A_store_that_gives_up_in_the_middle_is_a_temporary_failure()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        door.Bodies.Outage = new StoreUnavailableException("no PostgreSQL");
        using LmtpClient client = await door.BeginAsync("alice@demo.test");
        await client.SayAsync("DATA", "354 ");
        string block = new('x', 1 << 16);
        for (int i = 0; i < 40; i++)
            await client.SendAsync(block);
        await client.SayAsync("\r\n.", "451 4.3.0 ");
        door.Bodies.Outage = null;
        await client.SendAsync("MAIL FROM:<s@x.test>\r\nRCPT TO:<alice@demo.test>\r\nDATA\r\n");
        foreach (string reply in new[] { "250 ", "250 ", "354 " })
            await client.ExpectAsync(reply);
        await client.SayAsync("a\r\n.", "250 2.1.5 ");
    }

    [Fact]
    public async Task A_connection_lost_inside_a_message_stores_nothing()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.BeginAsync("alice@demo.test");
        await client.SayAsync("DATA", "354 ");
        await client.SendAsync("Subject: half\r\n\r\nof a mess");
        client.Dispose();
        await door.Bodies.Failed.WaitAsync();
        Assert.Empty(door.Bodies.Staged);
        Assert.Empty(door.Mailboxes);
    }

    [Theory]
    [InlineData("a\n.\nRCPT TO:<bob@demo.test>\r\n")]
    [InlineData("a\n.\r\nMAIL FROM:<evil@x.test>\r\n")]
    [InlineData("a\r\n.\nMAIL FROM:<evil@x.test>\r\n")]
    [InlineData("a\r.\r\nMAIL FROM:<evil@x.test>\r\n")]
    [InlineData("a\r\n.\rMAIL FROM:<evil@x.test>\r\n")]
    [InlineData("a\r.\rMAIL FROM:<evil@x.test>\r\n")]
    public async Task A_message_cannot_smuggle_another(string content)
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.BeginAsync("alice@demo.test");
        await client.SayAsync("DATA", "354 ");
        await client.SendAsync(content + ".\r\nNOOP\r\n");
        await client.ExpectAsync("250 2.1.5 <alice@demo.test> delivered");
        await client.ExpectAsync("250 2.0.0 ");
        Assert.Equal(content.Replace("\r\n.", "\r\n"), Assert.Single(door.Delivered(10)).Body);
    }

    [Fact]
    public async Task An_internationalised_envelope()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        door.Directory.Users["δοκιμή@demo.test"] = door.Directory.Users["alice@demo.test"];
        using LmtpClient client = await door.GreetAsync();
        await client.SayAsync("MAIL FROM:<ü@x.test> SMTPUTF8", "250 ");
        await client.SendAsync("RCPT TO:<δοκιμή@demo.test>\r\n");
        await client.ExpectAsync("250 2.1.5 ");
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync("a\r\n.", "250 2.1.5 ");
        string prefix = Assert.Single(door.Delivered(10)).Prefix;
        Assert.StartsWith("Return-Path: <ü@x.test>\r\nDelivered-To: δοκιμή@demo.test\r\n", prefix);
        Assert.Contains(" with UTF8LMTP id ", prefix);
    }

    [Fact]
    public async Task Chunks_of_any_size_make_the_message_as_it_is()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.BeginAsync("alice@demo.test", "bob@demo.test");
        // Dots, bare ends of lines and what looks like the end of DATA mean nothing in a chunk.
        await client.SendAsync("BDAT 7\r\n.\r\n..\r\nBDAT 0\r\nBDAT 5\r\n\r\n.\r\nBDAT 3 last\r\n\nxy");
        await client.ExpectAsync("250 2.0.0 7 ");
        await client.ExpectAsync("250 2.0.0 0 ");
        await client.ExpectAsync("250 2.0.0 5 ");
        await client.ExpectAsync("250 2.1.5 <alice@demo.test>");
        await client.ExpectAsync("250 2.1.5 <bob@demo.test>");
        Assert.Equal(".\r\n..\r\n\r\n.\r\n\nxy", Assert.Single(door.Delivered(10)).Body);
        await client.SayAsync("MAIL FROM:<>", "250 2.1.0 ");
    }

    [Fact]
    public async Task A_chunk_that_nobody_may_have_is_read_over()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.GreetAsync();
        await client.SendAsync("BDAT 6\r\nQUIT\r\nMAIL FROM:<>\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n");
        foreach (string reply in new[] { "503 5.5.1 ", "250 2.1.0 ", "503 5.5.1 ", "250 2.0.0 " })
            await client.ExpectAsync(reply);
    }

    [Theory]
    [InlineData("BDAT")]
    [InlineData("BDAT x")]
    [InlineData("BDAT -1")]
    [InlineData("BDAT 1 FIRST")]
    [InlineData("BDAT 1 LAST LAST")]
    public async Task A_chunk_of_unknown_length_ends_the_session(string command)
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.BeginAsync("alice@demo.test");
        await client.SayAsync(command, "501 5.5.4 ");
        await client.ExpectClosedAsync();
    }

    [Fact]
    public async Task Between_chunks_only_chunks_and_an_end_of_it_all_are_allowed()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync();
        using LmtpClient client = await door.BeginAsync("alice@demo.test");
        await client.SendAsync("BDAT 1\r\na");
        await client.ExpectAsync("250 2.0.0 1 ");
        await client.SayAsync("DATA", "503 5.5.1 ");
        await client.SayAsync("RCPT TO:<bob@demo.test>", "503 5.5.1 ");
        await client.SayAsync("MAIL FROM:<>", "503 5.5.1 ");
        await client.SayAsync("RSET", "250 2.0.0 ");
        await door.Bodies.Failed.WaitAsync();
        await client.SayAsync("BDAT 0 LAST", "503 5.5.1 ");
        Assert.Empty(door.Bodies.Staged);
    }

    [Fact]
    public async Task Chunks_beyond_the_limit()
    {
        await using LmtpDoor door = await LmtpDoor.OpenAsync(new LmtpOptions { MaxMessageSize = 1000 });
        using LmtpClient client = await door.BeginAsync("alice@demo.test");
        await client.SendAsync("BDAT 600\r\n" + new string('x', 600) + "BDAT 600\r\n" + new string('x', 600) + "BDAT 1 LAST\r\nx");
        await client.ExpectAsync("250 2.0.0 600 ");
        await client.ExpectAsync("552 5.3.4 ");
        await client.ExpectAsync("503 5.5.1 ");
        Assert.Empty(door.Bodies.Staged);
    }
}
