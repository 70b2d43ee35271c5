using MailCluster.Contracts;
using MailCluster.Storage.Lanes;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

public sealed class FairQueueTests
{
    private readonly FairQueue _queue = new();
    private int _operations;

    [Fact]
    public void Tenants_take_turns_then_mailboxes_and_a_mailbox_keeps_its_order()
    {
        CommitOperation[] all = [Of(1, 1, tenant: 1), Of(1, 1, tenant: 1), Of(1, 2, tenant: 1), Of(2, 3, tenant: 2), Of(2, 3, tenant: 2)];
        foreach (CommitOperation operation in all)
            _queue.Add(operation);
        Assert.Equal([all[0], all[3], all[2], all[4], all[1]], Taken());
        Assert.Equal((0, 0L), (_queue.Count, _queue.Bytes));
    }

    [Theory]
    [InlineData(CommitKind.Store, true)]
    [InlineData(CommitKind.Expunge, false)]
    [InlineData(CommitKind.Move, false)]
    public void A_large_operation_holds_up_its_mailboxes_and_what_needs_the_usage_row_that_it_locks(CommitKind kind, bool appendGoesOn)
    {
        MailboxKey? source = kind == CommitKind.Move ? Key(3, 9) : null;
        CommitOperation large = Of(1, 1, kind, source), second = Of(1, 8, CommitKind.Expunge);
        _queue.SetAside(large);
        CommitOperation same = Of(1, 1), append = Of(1, 2), flags = Of(1, 4, CommitKind.Store), other = Of(2, 3), away = Of(3, 5), from = Of(2, 6, CommitKind.Copy, Key(1, 1));
        foreach (CommitOperation operation in new[] { same, append, flags, other, away, from })
            _queue.Add(operation);
        Assert.Equal([.. appendGoesOn ? [append] : Array.Empty<CommitOperation>(), flags, other, .. source is null ? [away] : Array.Empty<CommitOperation>()], Taken());
        // As long as any of two is under way.
        _queue.SetAside(second);
        _queue.PutBack(large);
        Assert.Equal(source is null ? [] : [away], Taken());
        _queue.PutBack(second);
        Assert.Equal(appendGoesOn ? [same, from] : [same, append, from], Taken().OrderBy(static o => o.Id.Counter));
    }

    [Fact]
    public void While_large_ones_rest_their_mailboxes_keep_their_order_and_all_others_go_on()
    {
        CommitOperation large = Of(1, 1, CommitKind.Expunge, rows: 501), behind = Of(1, 1), neighbour = Of(1, 2), other = Of(2, 3, CommitKind.Store, rows: 500);
        foreach (CommitOperation operation in new[] { large, behind, neighbour, other })
            _queue.Add(operation);
        Assert.Equal([neighbour, other], Taken(mostRows: 500));
        Assert.Equal(2, _queue.Count);
        Assert.Equal([large, behind], Taken());
    }

    private List<CommitOperation> Taken(long mostRows = long.MaxValue)
    {
        var taken = new List<CommitOperation>();
        while (_queue.Take(mostRows) is { } operation)
            taken.Add(operation);
        return taken;
    }

    private static MailboxKey Key(long account, long mailbox) => new(new AccountId(account), new MailboxId(mailbox));

    private CommitOperation Of(long account, long mailbox, CommitKind kind = CommitKind.Append, MailboxKey? source = null, long tenant = 1, long rows = 1) => new()
    {
        Kind = kind, Mailbox = Key(account, mailbox), Source = source, Epoch = 1, Tenant = new TenantId(tenant), Id = new OperationId(1, ++_operations), Actor = MailStoreTest.Someone, Rows = rows,
    };
}
