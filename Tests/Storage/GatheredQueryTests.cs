using MailCluster.Storage;
using Xunit;

namespace MailCluster.Tests.Storage;

public sealed class GatheredQueryTests
{
    private readonly List<(int[] Keys, TaskCompletionSource<int> Answer)> _rounds = [];

    [Fact]
    public async Task Who_asks_while_a_query_is_under_way_shares_the_next()
    {
        GatheredQuery<int, int> query = Query();
        Task<int> first = query.AskAsync([1]), second = query.AskAsync([2, 3]), third = query.AskAsync([4]);
        Assert.Equal([1], Assert.Single(_rounds).Keys);
        _rounds[0].Answer.SetResult(10);
        Assert.Equal(10, await first);
        await RoundsAsync(2);
        Assert.Equal([2, 3, 4], _rounds[1].Keys);
        Assert.False(second.IsCompleted);
        _rounds[1].Answer.SetResult(20);
        Assert.Equal((20, 20), (await second, await third));
        // Nobody asks: nothing runs, and the next asker is asked for at once.
        Task<int> later = query.AskAsync([5]);
        await RoundsAsync(3);
        _rounds[2].Answer.SetResult(30);
        Assert.Equal(30, await later);
    }

    [Fact]
    public async Task A_query_that_fails_fails_for_those_who_asked_it_only()
    {
        GatheredQuery<int, int> query = Query();
        Task<int> first = query.AskAsync([1]), second = query.AskAsync([2]);
        _rounds[0].Answer.SetException(new InvalidOperationException("first"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => first);
        await RoundsAsync(2);
        _rounds[1].Answer.SetResult(20);
        Assert.Equal(20, await second);
    }

    private GatheredQuery<int, int> Query() => new(keys =>
    {
        var answer = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_rounds)
        {
            _rounds.Add(([.. keys], answer));
            Monitor.PulseAll(_rounds);
        }
        return answer.Task;
    });

    private Task RoundsAsync(int count) => Task.Run(() =>
    {
        lock (_rounds)
        {
            while (_rounds.Count < count)
                Assert.True(Monitor.Wait(_rounds, TimeSpan.FromMinutes(3)));
        }
    });
}
