using System.IO.Pipelines;
using MailCluster.Cluster;
using MailCluster.Contracts;
using Xunit;

namespace MailCluster.Tests.Unit.Cluster;

/// <summary>Where the bodies of messages are when their owner is asked to add them.</summary>
public sealed class AppendTests
{
    private static readonly MailboxKey _inbox = new(new AccountId(1), new MailboxId(2));

    private readonly HeldOnly _bodies = new();
    private readonly FakeGrains _grains = new();
    private readonly LocalMailboxes _local = new();
    private readonly FakeMailbox _owner = new() { Key = _inbox };

    [Fact]
    public async Task An_owner_in_this_process_takes_held_bodies_along()
    {
        _local.Name(_inbox, 1, MailboxPath.Inbox);
        Assert.True((await AppendAsync()).IsOk);
        Assert.Equal([7L, 8], _bodies.Held.Order());
        // It has said good-bye.
        _local.Withdraw(_inbox, 1);
        Assert.True((await AppendAsync()).IsOk);
        Assert.Empty(_bodies.Held);
    }

    [Fact]
    public async Task An_owner_elsewhere_finds_them_stored()
    {
        _owner.OnAppend = _ => _bodies.Held.Count == 0 ? new AppendResult(1, UidSet.Single(1), 2, false) : new MailError(MailErrorCode.BodyGone, "");
        Assert.True((await AppendAsync()).IsOk);
        Assert.Single(_owner.Appends);
    }

    [Fact]
    public async Task An_owner_that_has_just_moved_is_asked_again_by_the_same_operation()
    {
        _local.Name(_inbox, 1, MailboxPath.Inbox);
        _owner.OnAppend = _ => _bodies.Held.Count == 0 ? new AppendResult(1, UidSet.Single(1), 2, false) : new MailError(MailErrorCode.BodyGone, "");
        Assert.True((await AppendAsync()).IsOk);
        Assert.Equal(2, _owner.Appends.Count);
        Assert.Single(_owner.Appends.Select(static a => a.Request.Operation).Distinct());
    }

    [Fact]
    public async Task A_body_that_is_gone_for_good_is_not_asked_for_again_and_again()
    {
        _bodies.Held.Clear();
        _owner.OnAppend = static _ => new MailError(MailErrorCode.BodyGone, "");
        Assert.Equal(MailErrorCode.BodyGone, (await AppendAsync()).Error?.Code);
        // Once more: another message's commit may have stored it in between.
        Assert.Equal(2, _owner.Appends.Count);
    }

    /// <summary>The first try may have stored the message, so that NO [TRYCREATE] or [NOPERM] would not be true: only an owner that has looked may say so.</summary>
    [Theory]
    [InlineData(MailErrorCode.MailboxGone, false)]
    [InlineData(MailErrorCode.MailboxGone, true)]
    [InlineData(MailErrorCode.NoPermission, false)]
    public async Task A_repetition_that_is_refused_may_have_been_done_by_the_try_before(MailErrorCode refusal, bool looked)
    {
        _owner.OnAppend = _ => _owner.Appends.Count == 1 ? throw new TimeoutException() : new MailError(refusal, "", looked);
        Assert.Equal(looked ? refusal : MailErrorCode.Unavailable, (await AppendAsync()).Error?.Code);
        Assert.Equal(2, _owner.Appends.Count);
        Assert.Equal(refusal, (await AppendAsync()).Error?.Code);
    }

    [Fact]
    public async Task Where_they_cannot_be_stored_the_answer_is_that_of_an_outage()
    {
        _bodies.Away = true;
        Assert.Equal(MailErrorCode.Unavailable, (await AppendAsync()).Error?.Code);
        Assert.Empty(_owner.Appends);
    }

    [Fact]
    public async Task An_owner_that_does_not_look_for_filters_is_sent_claims_that_there_are_not()
    {
        Assert.True((await AppendAsync(unfiltered: true)).IsOk);
        Assert.Equal([0, 0], Assert.Single(_owner.Appends).Request.Messages.Select(static m => m.Claim));
        Assert.Empty(_bodies.Held);
        Assert.Equal([-1, -1], _owner.Appends.Single().Request.Sealed().Messages.Select(static m => m.Claim));
        _owner.OnAppend = static _ => new MailError(MailErrorCode.BodyGone, "");
        Assert.Equal(MailErrorCode.Filtered, (await AppendAsync(unfiltered: true)).Error?.Code);
        Assert.Equal(2, _owner.Appends.Count);
    }

    private async Task<MailResult<AppendResult>> AppendAsync(bool unfiltered = false)
    {
        _grains.Put<IMailboxGrain>(_inbox.ToString(), _owner);
        await using var cluster = new MailClusterClient(_grains, _bodies, _local, TestCluster.Impatient);
        NewMessage[] messages = [Message(7), Message(8)];
        return await cluster.AppendAsync(_inbox, new AppendRequest(cluster.NextOperation(), new Actor("a", "s", null), messages, Unfiltered: unfiltered), new CommandWait(CancellationToken.None));
    }

    private static NewMessage Message(long body) => new(new BodyId(body), 0, [], 100, 0, 0, FlagList.None, []);

    /// <summary>A store that holds two bodies and knows no others.</summary>
    private sealed class HeldOnly : IMessageBodies
    {
        public HashSet<long> Held { get; } = [7, 8];

        public bool Away { get; set; }

        public ValueTask<bool> KeepAsync(BodyId body) => Away ? throw new StoreUnavailableException("Away.") : new(Held.Remove(body.Value));

        public ValueTask<MailResult<StagedBody>> StageAsync(
            TenantId tenant, PipeReader source, int claims, long? sizeHint, long maxSize, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask DiscardAsync(StagedBody body, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<StoredEmail?>> GetEmailsAsync(
            AccountId account, IReadOnlyList<EmailId> emails, bool withContent, CancellationToken cancellationToken) => throw new NotSupportedException();

        public IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(BodyId body, long size, long offset, long count, CancellationToken cancellationToken) =>
            throw new NotSupportedException();

        public ValueTask<IReadOnlyList<byte[]?>> GetBodiesAsync(IReadOnlyList<BodyId> bodies, int maxSize, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
