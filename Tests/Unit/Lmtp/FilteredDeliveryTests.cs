using System.Text;
using MailCluster.Contracts;
using MailCluster.Lmtp.Filtering;
using Xunit;

namespace MailCluster.Tests.Unit.Lmtp;

/// <summary>What becomes of a message whose recipient has a filter.</summary>
public sealed class FilteredDeliveryTests : IAsyncLifetime
{
    private static readonly AccountId Alice = new(1);

    private readonly FakeFilters _filters = new();
    private LmtpDoor _door = null!;

    public async ValueTask InitializeAsync()
    {
        _door = await LmtpDoor.OpenAsync(filters: _filters, filtering: new FilterOptions { Outgoing = true });
        _door.Alice.AddFolder(11, "Lists");
        _door.Alice.Mailboxes.Add(new MailboxInfo(new MailboxId(12), MailboxPath.Of("Junk"), true, ["\\Junk"], null));
    }

    public ValueTask DisposeAsync() => _door.DisposeAsync();

    [Fact]
    public async Task It_goes_where_the_script_says_with_flags_and_one_body()
    {
        Script("""require ["fileinto", "imap4flags", "copy"]; fileinto :copy :flags ["\\Seen", "$Label1"] "Lists"; fileinto :copy "Junk";""");
        await DeliverAsync("Subject: x\r\n\r\nbody\r\n", "250 2.1.5 <alice@demo.test> delivered");
        NewMessage lists = Stored(11), junk = Stored(12), inbox = Stored(10);
        Assert.Single(new[] { lists.Body, junk.Body, inbox.Body }.Distinct());
        Assert.Equal(3, new[] { lists.Claim, junk.Claim, inbox.Claim }.Distinct().Count());
        Assert.Equal((SystemFlags.Seen, "$Label1"), (lists.Flags.System, Assert.Single(lists.Flags.Keywords)));
        Assert.Equal(SystemFlags.None, inbox.Flags.System);
        // Each copy is another delivery, the same in each repetition.
        Guid?[] marks = [.. new long[] { 11, 12, 10 }.Select(id => _door.Mailbox(id).Appends.Single().Request.Delivery)];
        Assert.Equal(3, marks.Distinct().Count());
        await DeliverAsync("Subject: x\r\n\r\nbody\r\n", "250 2.1.5 ");
        Assert.Equal(marks, new long[] { 11, 12, 10 }.Select(id => _door.Mailbox(id).Appends.Last().Request.Delivery));
        // Nothing was to be remembered.
        Assert.Empty(_filters.Commits);
        Assert.Empty(_filters.Failures);
    }

    [Fact]
    public async Task A_discarded_message_is_nowhere_and_its_body_given_up()
    {
        Script("discard;");
        await DeliverAsync("a\r\n", "250 2.1.5 ");
        Assert.Empty(_door.Mailbox(10).Appends);
        Assert.Single(_door.Bodies.Discarded);
    }

    [Theory]
    [InlineData("""fileinto "Nowhere";""", "fileinto: there is no mailbox 'Nowhere'")]
    [InlineData("""fileinto "a//b";""", "fileinto: 'a//b' is no name of a mailbox")]
    // A namespace of others, which nothing of one's own can be in.
    [InlineData("""fileinto :create "Other Users/bob@demo.test/INBOX";""", "fileinto: 'Other Users/bob@demo.test/INBOX' is no name of a mailbox")]
    [InlineData("""fileinto "Shared Folders";""", "fileinto: 'Shared Folders' is no name of a mailbox")]
    [InlineData("""fileinto "Other UsersX";""", "fileinto: there is no mailbox 'Other UsersX'")]
    [InlineData("""if header :regex "subject" "(" { discard; }""", "the expression is not valid")]
    public async Task What_fails_keeps_the_message_and_tells_its_owner_why(string script, string failure)
    {
        _door.Alice.Current = _door.Alice.Current with { Shares = true };
        Script($"""require ["fileinto", "regex", "mailbox"]; {script}""");
        await DeliverAsync("Subject: x\r\n\r\nb\r\n", "250 2.1.5 ");
        Assert.Contains("X-Sieve-Failure: " + failure[..20], _door.Delivered(10).Single().Prefix);
        Assert.Contains(failure, Assert.Single(_filters.Failures));
        Assert.Contains(_door.Log.Lines, l => l.Contains("the filter of alice@demo.test failed"));
    }

    [Fact]
    public async Task A_script_that_is_not_valid_any_more_keeps_the_message()
    {
        Script("frobnicate;");
        await DeliverAsync("a\r\n", "250 2.1.5 ");
        Assert.Single(_door.Delivered(10));
        Assert.Contains("is not valid any more: line 1, column 1: there is no command 'frobnicate'", Assert.Single(_filters.Failures));
    }

    [Fact]
    public async Task Missing_mailboxes_are_made_where_the_script_says_so_and_found_by_use_and_id()
    {
        Script("""require ["fileinto", "mailbox", "special-use", "mailboxid", "copy"]; fileinto :create :copy "New/Deep"; fileinto :specialuse "\\Junk" :copy "Spam"; fileinto :mailboxid "F11" "x";""");
        await DeliverAsync("a\r\n", "250 2.1.5 ");
        MailboxInfo made = Assert.Single(_door.Alice.Mailboxes, static m => m.Path.ToString() == "New/Deep");
        Assert.Single(_door.Mailbox(made.Id.Value).Appends);
        Assert.Single(_door.Mailbox(12).Appends);
        Assert.Single(_door.Mailbox(11).Appends);
        Assert.Empty(_filters.Failures);
    }

    [Fact]
    public async Task A_refused_message_is_answered_with_the_reason()
    {
        Script("require \"ereject\"; ereject text:\nAntiSpam engine thinks your message is spam.\nIt is therefore being refused — ü.\n.\n;");
        using LmtpClient client = await _door.BeginAsync("alice@demo.test", "bob@demo.test");
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync("a\r\n.", "550-5.7.1 AntiSpam engine thinks your message is spam.");
        await client.ExpectAsync("550 5.7.1 It is therefore being refused ? ?.");
        await client.ExpectAsync("250 2.1.5 <bob@demo.test>");
        Assert.Empty(_door.Mailbox(10).Appends);
        Assert.Single(_door.Delivered(20));
    }

    [Fact]
    public async Task A_reason_that_the_connection_cannot_carry_is_sent_as_a_notice()
    {
        Script("require \"reject\"; reject \"Grüße\";");
        await DeliverAsync("Message-ID: <a@b>\r\nSubject: s\r\n\r\nb\r\n", "250 2.1.5 ");
        OutgoingMail notice = Assert.Single(_filters.Mail);
        Assert.Equal((OutgoingKind.Reject, "", "s@x.test", true), (notice.Kind, notice.Sender, notice.Recipients.Single(), notice.Required));
        string text = Encoding.UTF8.GetString(notice.Head);
        Assert.Contains("report-type=disposition-notification", text);
        Assert.Contains("Disposition: automatic-action/MDN-sent-automatically; deleted", text);
        Assert.Contains("Auto-Submitted: auto-replied", text);
        Assert.Contains("In-Reply-To: <a@b>", text);
        // Nobody is told of a bounce.
        using LmtpClient client = await _door.GreetAsync();
        await client.SayAsync("MAIL FROM:<>", "250 ");
        await client.SayAsync("RCPT TO:<alice@demo.test>", "250 ");
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync("c\r\n.", "550 5.7.1 Gr??e");
    }

    [Fact]
    public async Task A_redirected_message_is_in_the_outbox_before_it_is_acknowledged_and_once()
    {
        Script("redirect \"b@y.test\";");
        for (int i = 0; i < 2; i++)
            await DeliverAsync("Subject: x\r\n\r\nb\r\n", "250 2.1.5 ");
        OutgoingMail mail = Assert.Single(_filters.Mail);
        Assert.Equal((OutgoingKind.Redirect, "s@x.test", "b@y.test", true, 0L), (mail.Kind, mail.Sender, mail.Recipients.Single(), mail.Required, mail.Offset));
        Assert.Matches("^Received: from client.test .*\r\n.*\r\n.*\r\nX-Sieve-Redirected-From: alice@demo.test\r\n$", Encoding.UTF8.GetString(mail.Head));
        Assert.NotNull(mail.Body);
        Assert.Empty(_door.Mailbox(10).Appends);
    }

    [Fact]
    public async Task Where_the_outbox_cannot_be_reached_the_message_comes_again()
    {
        Script("require \"copy\"; redirect :copy \"b@y.test\";");
        _filters.Answers.Enqueue(static _ => throw new StoreUnavailableException("away"));
        await DeliverAsync("a\r\n", "451 4.3.0 ");
        _door.Mailbox(10).OnAppend = static _ => new AppendResult(1, UidSet.Single(1), 2, Duplicate: true);
        await DeliverAsync("a\r\n", "250 2.1.5 ");
        Assert.Single(_filters.Mail);
    }

    [Fact]
    public async Task A_message_that_comes_back_is_not_redirected_again()
    {
        Script("redirect \"b@y.test\";");
        await DeliverAsync("X-Sieve-Redirected-From: ALICE@demo.test\r\n\r\nb\r\n", "250 2.1.5 ");
        Assert.Empty(_filters.Mail);
        Assert.Contains("runs in a circle", Assert.Single(_filters.Failures));
        Assert.Single(_door.Delivered(10));
        await DeliverAsync(string.Concat(Enumerable.Repeat("Received: x\r\n", 60)) + "\r\nb\r\n", "250 2.1.5 ");
        Assert.Empty(_filters.Mail);
        Assert.Equal(2, _door.Delivered(10).Length);
        // Also where a reply is due beside it.
        Script("require [\"vacation\", \"enotify\"]; notify \"mailto:n@y.test\"; redirect \"b@y.test\";");
        await DeliverAsync("X-Sieve-Redirected-From: alice@demo.test\r\nTo: alice@demo.test\r\n\r\nb\r\n", "250 2.1.5 ");
        Assert.Equal(3, _door.Delivered(10).Length);
    }

    [Fact]
    public async Task Above_the_days_limit_it_is_kept_in_place_of_being_redirected()
    {
        _filters.MostADay = 0;
        Script("redirect \"b@y.test\";");
        await DeliverAsync("a\r\n", "250 2.1.5 ");
        Assert.Single(_door.Delivered(10));
        Assert.Empty(_filters.Mail);
        Assert.Contains("would leave in a day", Assert.Single(_filters.Failures));
    }

    [Fact]
    public async Task A_sender_is_answered_once()
    {
        Script("require \"vacation\"; vacation :subject \"Grüße\" \"I am away\";");
        for (int i = 0; i < 3; i++)
            await DeliverAsync($"To: alice@demo.test\r\nMessage-ID: <m{i}@x>\r\nReferences: <r@x>\r\n\r\nb\r\n", "250 2.1.5 ");
        OutgoingMail reply = Assert.Single(_filters.Mail);
        Assert.Equal((OutgoingKind.Vacation, "", "s@x.test", false), (reply.Kind, reply.Sender, reply.Recipients.Single(), reply.Required));
        string text = Encoding.UTF8.GetString(reply.Head);
        Assert.Contains("From: alice@demo.test\r\n", text);
        Assert.Contains("Auto-Submitted: auto-replied\r\n", text);
        Assert.Contains("In-Reply-To: <m0@x>\r\n", text);
        Assert.Contains("References: <r@x> <m0@x>\r\n", text);
        Assert.Contains("I am away", text);
        Assert.Equal(3, _door.Delivered(10).Length);
    }

    [Fact]
    public async Task What_was_wholly_done_is_not_done_again_whatever_the_script_says_now()
    {
        Script("""require ["duplicate", "fileinto"]; if duplicate { fileinto "Lists"; }""");
        for (int i = 0; i < 2; i++)
            await DeliverAsync("Message-ID: <a@b>\r\n\r\nb\r\n", "250 2.1.5 ");
        Assert.Single(_door.Mailbox(10).Appends);
        Assert.Empty(_door.Mailbox(11).Appends);
        await DeliverAsync("Message-ID: <a@b>\r\n\r\nanother\r\n", "250 2.1.5 ");
        Assert.Single(_door.Mailbox(11).Appends);
    }

    [Fact]
    public async Task Edited_headers_are_what_is_stored_and_sent()
    {
        Script("""
            require ["editheader", "fileinto", "copy"];
            addheader "X-Added" "first"; fileinto :copy "Lists";
            deleteheader "subject"; redirect :copy "b@y.test";
            """);
        await DeliverAsync("Subject: x\r\nTo: a@b\r\n\r\nbody\r\n", "250 2.1.5 ");
        (string prefix, string body) = _door.Delivered(11).Single();
        Assert.EndsWith("X-Added: first\r\n", prefix);
        Assert.Equal("Subject: x\r\nTo: a@b\r\n\r\nbody\r\n", body);
        (prefix, body) = _door.Delivered(10).Single();
        Assert.DoesNotContain("X-Added", prefix);
        Assert.Equal("X-Added: first\r\nTo: a@b\r\n\r\nbody\r\n", body);
        OutgoingMail mail = Assert.Single(_filters.Mail);
        Assert.EndsWith("X-Added: first\r\nTo: a@b\r\n", Encoding.UTF8.GetString(mail.Head));
        Assert.Equal("Subject: x\r\nTo: a@b\r\n".Length, mail.Offset);
        NewMessage stored = Stored(10);
        Assert.Equal((uint)(prefix.Length + body.Length), stored.Size);
    }

    [Fact]
    public async Task A_mailbox_without_room_for_keywords_gets_the_message_without_them()
    {
        Script("""require "imap4flags"; keep :flags ["\\Flagged", "$new"];""");
        _door.Mailbox(10).OnAppend = static r => r.Messages[0].Flags.Keywords.Count > 0 ? new MailError(MailErrorCode.Limit, "too many keywords") : new AppendResult(1, UidSet.Single(1), 2, false);
        await DeliverAsync("a\r\n", "250 2.1.5 ");
        Assert.Equal(SystemFlags.Flagged, _door.Mailbox(10).Appends.Last().Request.Messages[0].Flags.System);
        Assert.Contains("a limit of flags", Assert.Single(_filters.Failures));
    }

    [Fact]
    public async Task A_full_account_is_told_as_ever()
    {
        Script("require \"fileinto\"; fileinto \"Lists\";");
        _door.Mailbox(11).OnAppend = static _ => new MailError(MailErrorCode.OverQuota, "full");
        await DeliverAsync("a\r\n", "552 5.2.2 ");
    }

    [Fact]
    public async Task A_sub_address_is_the_scripts_to_use_and_keep_goes_where_it_would()
    {
        Script("""require ["fileinto", "envelope", "subaddress"]; if envelope :detail "to" "junk" { fileinto "Junk"; }""");
        await DeliverAsync("a\r\n", "250 2.1.5 ", "alice+junk@demo.test");
        await DeliverAsync("a\r\n", "250 2.1.5 ", "alice+lists@demo.test");
        Assert.Single(_door.Mailbox(12).Appends);
        Assert.Single(_door.Mailbox(11).Appends);
    }

    [Fact]
    public async Task A_tenants_scripts_are_run_around_the_own_and_see_no_other_account()
    {
        _filters.Scripts[(ScriptOwner.Of(new TenantId(1)), "before")] = """require "fileinto"; if header :is "x-spam" "yes" { fileinto "Junk"; }""";
        _filters.Scripts[(ScriptOwner.Of(new AccountId(2)), "secret")] = "discard;";
        Script("""require "include"; include :optional "secret";""");
        await DeliverAsync("X-Spam: yes\r\n\r\nb\r\n", "250 2.1.5 ");
        await DeliverAsync("X-Spam: no\r\n\r\nb\r\n", "250 2.1.5 ");
        Assert.Single(_door.Mailbox(12).Appends);
        Assert.Single(_door.Mailbox(10).Appends);
    }

    private void Script(string source) => _filters.Active[Alice] = source;

    private NewMessage Stored(long mailbox) => _door.Mailbox(mailbox).Appends.Single().Request.Messages.Single();

    private async Task DeliverAsync(string message, string reply, string recipient = "alice@demo.test")
    {
        using LmtpClient client = await _door.BeginAsync(recipient);
        await client.SayAsync("DATA", "354 ");
        await client.SayAsync(message + ".", reply);
    }
}
