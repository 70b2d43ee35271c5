using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Outgoing;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Cluster;
using MailCluster.Tests.Unit.Lmtp;
using Xunit;

namespace MailCluster.Tests.Unit.Outgoing;

/// <summary>The sender against a mail server that fails at every stage.</summary>
public sealed class OutboxSenderTests : IAsyncLifetime
{
    private const string Text = "Message-ID: <m@x>\r\nSubject: x\r\n\r\n.dot\r\nü\r\n";

    private readonly TestRelay _relay = new();
    private readonly FakeOutbox _outbox = new();
    private readonly FakeFilters _filters = new();
    private readonly FakeBodies _bodies = new();
    private readonly FakeAccount _account = new(FakeAccount.SettingsOf(1, 1, "alice@demo.test"));
    private readonly FakeMailbox _inbox = new() { Key = new MailboxKey(new AccountId(1), new MailboxId(10)) };
    private MailClusterClient _cluster = null!;
    private OutboxSender _sender = null!;

    public ValueTask InitializeAsync()
    {
        var grains = new FakeGrains { Mailboxes = _ => _inbox };
        grains.Put<IAccountGrain>(1L, _account);
        _cluster = new MailClusterClient(grains, _bodies, new LocalMailboxes(), TestCluster.Impatient);
        _sender = new OutboxSender(_outbox, _filters, _cluster, new RelayOptions { Host = "127.0.0.1", Port = _relay.Port, Tls = RelayTls.WhenOffered, HostName = "mx.test" });
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        await _relay.DisposeAsync();
    }

    [Fact]
    public async Task A_message_is_sent_octet_for_octet()
    {
        _bodies.Stored[5] = Encoding.UTF8.GetBytes("Old: header\r\n" + Text);
        _outbox.Add(Mail() with { Head = "X-New: y\r\n"u8.ToArray(), Body = new BodyId(5), Offset = "Old: header\r\n".Length, Size = _bodies.Stored[5].Length });
        Assert.True(await _sender.SendBatchAsync(default));
        RelayedMail mail = Assert.Single(_relay.Mail);
        Assert.Equal(("s@x.test", "r@y.test"), (mail.Sender, mail.Recipients.Single()));
        Assert.Equal("X-New: y\r\n" + Text, Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(mail.Text)));
        Assert.Empty(_outbox.Waiting);
        Assert.False(await _sender.SendBatchAsync(default));
    }

    [Fact]
    public async Task Several_go_over_one_connection_and_a_null_sender_is_one()
    {
        for (short i = 0; i < 3; i++)
            _outbox.Add(Mail() with { Ordinal = i, Sender = "" });
        await _sender.SendBatchAsync(default);
        Assert.Equal(3, _relay.Mail.Count);
        Assert.All(_relay.Mail, static m => Assert.Equal("", m.Sender));
        Assert.Equal(1, _relay.Connections);
    }

    [Theory]
    [InlineData("connect", "421 4.3.2 closed")]
    [InlineData("connect", "554 5.3.2 not you")]
    [InlineData("connect", TestRelay.HangUp)]
    [InlineData("EHLO", TestRelay.HangUp)]
    [InlineData("MAIL", "451 4.3.0 later")]
    [InlineData("MAIL", TestRelay.HangUp)]
    [InlineData("RCPT", "450 4.2.1 later")]
    [InlineData("RCPT", TestRelay.HangUp)]
    [InlineData("DATA", "451 4.3.0 later")]
    [InlineData("DATA", TestRelay.HangUp)]
    [InlineData("body", "451 4.3.0 later")]
    [InlineData("body", TestRelay.HangUp)]
    public async Task What_fails_now_is_sent_later_and_once(string stage, string fault)
    {
        _relay.Next(stage, fault, fault);
        _outbox.Add(Mail());
        for (int attempt = 1; attempt <= 2; attempt++)
        {
            await _sender.SendBatchAsync(default);
            Assert.Empty(_relay.Mail);
            Assert.Equal(attempt, Assert.Single(_outbox.Retries, r => r.Attempt == attempt).Attempt);
        }
        await _sender.SendBatchAsync(default);
        Assert.Single(_relay.Mail);
        Assert.Empty(_outbox.Waiting);
        Assert.Empty(_filters.Failures);
    }

    [Fact]
    public async Task Goodbye_may_fail_as_it_likes()
    {
        _relay.Next("QUIT", TestRelay.HangUp);
        _outbox.Add(Mail());
        await _sender.SendBatchAsync(default);
        Assert.Empty(_outbox.Waiting);
        Assert.Single(_relay.Mail);
    }

    [Fact]
    public async Task An_answer_that_was_lost_makes_the_same_message_again_by_which_it_can_be_told()
    {
        _relay.Next("body", TestRelay.TakeAndHangUp);
        _outbox.Add(Mail());
        await _sender.SendBatchAsync(default);
        await _sender.SendBatchAsync(default);
        Assert.Equal(2, _relay.Mail.Count);
        Assert.Single(_relay.Mail.Select(static m => m.Text).Distinct());
        Assert.Contains("Message-ID: <m@x>", _relay.Mail.First().Text);
    }

    [Theory]
    [InlineData("MAIL")]
    [InlineData("RCPT")]
    [InlineData("DATA")]
    [InlineData("body")]
    public async Task What_is_refused_for_good_goes_to_its_owner(string stage)
    {
        _bodies.Stored[5] = Encoding.UTF8.GetBytes(Text);
        _relay.Next(stage, "550 5.1.1 no such user");
        _outbox.Add(Mail() with { Head = "X-New: y\r\n"u8.ToArray(), Body = new BodyId(5), Size = _bodies.Stored[5].Length, Required = true });
        await _sender.SendBatchAsync(default);
        Assert.Empty(_outbox.Waiting);
        Assert.Contains("redirect to r@y.test failed: 550", Assert.Single(_filters.Failures));
        AppendRequest request = Assert.Single(_inbox.Appends).Request;
        Assert.NotNull(request.Delivery);
        NewMessage message = request.Messages.Single();
        Assert.Equal((new BodyId(5), 1_000_000), (message.Body, message.Claim));
        Assert.Contains("X-Sieve-Failure: redirect to r@y.test failed: 550", Encoding.UTF8.GetString(message.Prefix));
        Assert.Equal(message.Prefix.Length + Encoding.UTF8.GetByteCount(Text), (int)message.Size);
    }

    [Fact]
    public async Task Where_the_inbox_does_not_take_it_it_waits()
    {
        _bodies.Stored[5] = Encoding.UTF8.GetBytes(Text);
        _relay.Next("RCPT", "550 5.1.1 no such user");
        _inbox.OnAppend = static _ => new MailError(MailErrorCode.OverQuota, "full");
        _outbox.Add(Mail() with { Body = new BodyId(5), Size = _bodies.Stored[5].Length, Required = true });
        await _sender.SendBatchAsync(default);
        Assert.Contains("and INBOX does not take it: full", Assert.Single(_outbox.Retries).Error);
        Assert.Single(_outbox.Waiting);
    }

    [Fact]
    public async Task A_reply_that_is_refused_is_given_up_and_so_is_what_waited_too_long()
    {
        _relay.Next("RCPT", "550 5.1.1 no such user", "451 4.3.0 later");
        _outbox.Add(Mail() with { Kind = OutgoingKind.Vacation });
        await _sender.SendBatchAsync(default);
        _outbox.Add(Mail(), DateTimeOffset.UtcNow.AddDays(-5));
        await _sender.SendBatchAsync(default);
        Assert.Empty(_outbox.Waiting);
        Assert.Empty(_inbox.Appends);
        Assert.Equal(2, _filters.Failures.Count);
        Assert.Empty(_relay.Mail);
    }

    [Fact]
    public async Task What_another_has_taken_is_not_sent()
    {
        _outbox.Add(Mail());
        _outbox.Lost = true;
        await _sender.SendBatchAsync(default);
        Assert.Empty(_relay.Mail);
    }

    [Fact]
    public async Task Nobody_to_connect_to_is_a_reason_to_wait()
    {
        await _relay.DisposeAsync();
        _outbox.Add(Mail());
        await _sender.SendBatchAsync(default);
        Assert.Single(_outbox.Retries);
    }

    private static OutgoingMail Mail() => new(
        0, OutgoingKind.Redirect, "s@x.test", ["r@y.test"], Encoding.UTF8.GetBytes(Text), null, 0, 0, false, null, Required: false);
}

/// <summary>Waiting mail in memory; everything is due at once.</summary>
internal sealed class FakeOutbox : IOutbox
{
    public List<WaitingMail> Waiting { get; } = [];

    public List<(int Attempt, TimeSpan Wait, string Error)> Retries { get; } = [];

    /// <summary>Whatever is taken is another's a moment later.</summary>
    public bool Lost { get; set; }

    public void Add(OutgoingMail mail, DateTimeOffset? created = null) => Waiting.Add(new WaitingMail(
        new AccountId(1), new TenantId(1), Guid.NewGuid(), mail, mail.Body is null ? null : 1_000_000, 0, created ?? DateTimeOffset.UtcNow));

    public ValueTask<IReadOnlyList<WaitingMail>> TakeAsync(string sender, int limit, TimeSpan lease, CancellationToken cancellationToken)
    {
        for (int i = 0; i < Waiting.Count; i++)
            Waiting[i] = Waiting[i] with { Attempt = Waiting[i].Attempt + 1 };
        return new([.. Waiting.Take(limit)]);
    }

    public ValueTask<bool> RenewAsync(WaitingMail mail, TimeSpan lease, CancellationToken cancellationToken) => new(!Lost);

    public ValueTask<bool> EndAsync(WaitingMail mail, CancellationToken cancellationToken) => new(Waiting.Remove(mail));

    public ValueTask<bool> RetryAsync(WaitingMail mail, TimeSpan wait, string error, CancellationToken cancellationToken)
    {
        Retries.Add((mail.Attempt, wait, error));
        return new(true);
    }

    public ValueTask<(long Count, TimeSpan Oldest)> WaitingAsync(CancellationToken cancellationToken) => new((Waiting.Count, TimeSpan.Zero));
}
