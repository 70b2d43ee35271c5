using MailCluster.Cluster;
using MailCluster.Contracts;
using Xunit;

namespace MailCluster.Tests.Unit.Cluster;

public sealed class SlicedChangesTests
{
    [Theory]
    [InlineData("", 3, "")]
    [InlineData("1:3", 3, "1:3")]
    [InlineData("1:7", 3, "1:3 4:6 7")]
    [InlineData("1,5,9:12,20", 3, "1,5,9 10:12 20")]
    [InlineData("4294967290:4294967295", 4, "4294967290:4294967293 4294967294:4294967295")]
    [InlineData("2:3,8", 1, "2 3 8")]
    public void A_set_is_cut_into_parts_of_a_size_in_the_order_of_UIDs(string uids, int size, string parts) =>
        Assert.Equal(parts, string.Join(' ', SlicedChanges.Slices(Set(uids), size)));

    [Theory]
    // Messages 1 to 10; null is the whole mailbox, in one.
    [InlineData("1:2,9", null, 3, "null")]
    [InlineData("1:3,5,9", null, 3, "1:4 5:4294967295")]
    [InlineData("1:10", null, 4, "1:4 5:8 9:4294967295")]
    [InlineData("1:10", "2:9,4294967295", 3, "2:4 5:7 8:9,4294967295")]
    [InlineData("", "3:7", 3, "3:7")]
    public void An_expunge_is_cut_where_deleted_messages_are_and_leaves_no_gap(string deleted, string? uids, int size, string parts)
    {
        MailboxSnapshot known = MailboxSnapshot.OfRows(1, 1, 11, Enumerable.Range(1, 10).Select(i => new MessageRow(
            (uint)i, new EmailId(i), 10, 0, 0, 0, new FlagList(Set(deleted).Contains((uint)i) ? SystemFlags.Deleted : SystemFlags.Flagged, []), 1, 0)));
        Assert.Equal(parts, string.Join(' ', SlicedChanges.ExpungeSlices(uids is null ? null : Set(uids), known, size).Select(static p => p?.ToString() ?? "null")));
    }

    /// <summary>Each part has an id of its own, which its repetitions carry: what was done before the owner was lost is not done again.</summary>
    [Fact]
    public async Task A_part_that_is_tried_again_keeps_its_id_and_the_others_are_not_repeated()
    {
        var grains = new FakeGrains();
        var asked = new List<(OperationId Id, string Uids)>();
        grains.Put<IMailboxGrain>(Mailbox.ToString(), new FakeMailbox
        {
            OnStore = request =>
            {
                asked.Add((request.Operation, request.Uids.ToString()));
                return asked.Count == 2 ? new MailError(MailErrorCode.Unavailable, "lost") : new StoreResult(request.Uids, UidSet.Empty, asked.Count);
            },
        });
        await using var cluster = new MailClusterClient(grains, null!, new LocalMailboxes(), TestCluster.Impatient with { SliceMessages = 2 });
        MailResult<StoreResult> result = await cluster.StoreAsync(
            Mailbox, new Actor("u", "s", null), Set("1:5"), StoreMode.Add, new FlagList(SystemFlags.Seen, []), null, new CommandWait(CancellationToken.None));
        Assert.Equal(("1:5", 4L), (result.Value!.Changed.ToString(), result.Value.ModSeq));
        Assert.Equal(["1:2", "3:4", "3:4", "5"], asked.Select(static a => a.Uids));
        Assert.Equal(asked[1].Id, asked[2].Id);
        Assert.Equal(3, asked.Select(static a => a.Id).Distinct().Count());
    }

    /// <summary>The first try may have moved the messages there before it was deleted, so that NO [TRYCREATE] would not be true: only an owner that has looked may say so.</summary>
    [Theory]
    [InlineData(false, false, MailErrorCode.MailboxGone)]
    [InlineData(true, false, MailErrorCode.Unavailable)]
    [InlineData(true, true, MailErrorCode.MailboxGone)]
    public async Task A_move_whose_repetition_finds_its_mailbox_deleted_may_have_been_made(bool repeated, bool looked, MailErrorCode expected)
    {
        var grains = new FakeGrains();
        int tries = 0;
        grains.Put<IMailboxGrain>(Mailbox.ToString(), new FakeMailbox
        {
            OnCopyFrom = _ => repeated && ++tries == 1 ? throw new TimeoutException() : new MailError(MailErrorCode.MailboxGone, "The mailbox was deleted.", looked),
        });
        await using var cluster = new MailClusterClient(grains, null!, new LocalMailboxes(), TestCluster.Impatient);
        (CopyResult? done, MailError? error) = await cluster.TransferAsync(
            new MailboxKey(new AccountId(1), new MailboxId(2)), Mailbox, new Actor("u", "s", null), Set("19"), move: true, new CommandWait(CancellationToken.None));
        Assert.Null(done);
        Assert.Equal(expected, error!.Code);
    }

    private static MailboxKey Mailbox => new(new AccountId(1), new MailboxId(1));

    private static UidSet Set(string text) => UidSet.FromRanges(text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(static r => r.Split(':')).Select(static r => new UidRange(uint.Parse(r[0]), uint.Parse(r[^1]))));
}
