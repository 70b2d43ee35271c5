using MailCluster.Cluster;
using MailCluster.Contracts;
using Orleans.Runtime;
using Xunit;

namespace MailCluster.Tests.Unit.Cluster;

public sealed class CallTests
{
    public static TheoryData<string> Outages => ["silo", "timeout", "store", "closed", "cancelled", "unavailable", "stale"];

    [Theory]
    [MemberData(nameof(Outages))]
    public async Task An_outage_is_tried_again_until_there_is_an_answer(string outage)
    {
        await using MailClusterClient cluster = Cluster(TestCluster.Impatient);
        int calls = 0;
        MailResult<int> result = await cluster.CallAsync(() => ++calls < 4 ? Fail(outage) : new ValueTask<MailResult<int>>(7), CancellationToken.None);
        Assert.Equal(7, result.Value);
        Assert.Equal(4, calls);
    }

    [Fact]
    public async Task After_the_bound_the_answer_is_unavailable()
    {
        await using MailClusterClient cluster = Cluster(TestCluster.Impatient with { RetryFor = TimeSpan.FromMilliseconds(20) });
        MailResult<int> result = await cluster.CallAsync(() => Fail("silo"), CancellationToken.None);
        Assert.Equal(MailErrorCode.Unavailable, result.Error!.Code);
    }

    [Fact]
    public async Task An_owner_that_says_nothing_is_waited_for_no_longer_than_one_that_is_away()
    {
        await using MailClusterClient cluster = Cluster(TestCluster.Impatient with { RetryFor = TimeSpan.FromMilliseconds(20) });
        MailResult<int> result = await cluster.CallAsync(static () => new ValueTask<MailResult<int>>(new TaskCompletionSource<MailResult<int>>().Task), CancellationToken.None);
        Assert.Equal(MailErrorCode.Unavailable, result.Error!.Code);
    }

    [Theory]
    [InlineData("timeout", 501, true)]
    [InlineData("timeout", 500, false)]
    [InlineData("unavailable", 501, false)]
    public async Task A_change_of_many_messages_may_take_long_but_does_not_outwait_an_outage(string outage, int messages, bool done)
    {
        await using MailClusterClient cluster = Cluster(TestCluster.Impatient with { RetryFor = TimeSpan.Zero, LengthyFor = TimeSpan.FromSeconds(20) });
        int calls = 0;
        MailResult<int> result = await cluster.CallAsync(() => ++calls < 4 ? Fail(outage) : new ValueTask<MailResult<int>>(7), CancellationToken.None, messages);
        Assert.Equal(done ? 4 : 1, calls);
        Assert.Equal(done, result.IsOk);
    }

    [Fact]
    public async Task An_expected_failure_is_an_answer()
    {
        await using MailClusterClient cluster = Cluster(TestCluster.Impatient);
        int calls = 0;
        MailResult<int> result = await cluster.CallAsync<int>(
            () =>
            {
                calls++;
                return new(new MailError(MailErrorCode.OverQuota, "full"));
            },
            CancellationToken.None);
        Assert.Equal((MailErrorCode.OverQuota, 1), (result.Error!.Code, calls));
    }

    [Fact]
    public async Task A_bug_is_no_outage()
    {
        await using MailClusterClient cluster = Cluster(TestCluster.Impatient);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await cluster.CallAsync<int>(() => throw new InvalidOperationException(), CancellationToken.None));
    }

    [Fact]
    public async Task Nobody_tries_for_a_client_that_is_gone()
    {
        await using MailClusterClient cluster = Cluster(TestCluster.Impatient with { FirstRetryDelay = TimeSpan.FromMinutes(1), MaxRetryDelay = TimeSpan.FromMinutes(1), RetryFor = TimeSpan.FromHours(1) });
        using var gone = new CancellationTokenSource();
        int calls = 0;
        MailResult<int> result = await cluster.CallAsync(
            () =>
            {
                calls++;
                gone.Cancel();
                return Fail("silo");
            },
            gone.Token);
        Assert.Equal((MailErrorCode.Unavailable, 1), (result.Error!.Code, calls));
    }

    [Fact]
    public void The_calls_of_a_command_share_its_time_and_each_has_a_second_of_its_own()
    {
        TimeSpan most = TimeSpan.FromSeconds(10);
        var wait = new CommandWait(CancellationToken.None);
        for (int i = 0; i < 1000; i++)
            wait.Add(TimeSpan.FromSeconds(0.9));
        Assert.Equal(most, wait.Of(most));
        wait.Add(TimeSpan.FromSeconds(7));
        Assert.Equal(TimeSpan.FromSeconds(4), wait.Of(most));
        wait.Add(TimeSpan.FromSeconds(10));
        Assert.Equal(TimeSpan.FromSeconds(1), wait.Of(most));
        Assert.Equal(TimeSpan.FromSeconds(0.5), wait.Of(TimeSpan.FromSeconds(0.5)));
    }

    [Fact]
    public async Task What_one_call_has_waited_another_of_the_command_does_not_wait_again()
    {
        await using MailClusterClient cluster = Cluster(TestCluster.Impatient with { RetryFor = TimeSpan.FromSeconds(1.2) });
        var wait = new CommandWait(CancellationToken.None);
        await cluster.CallAsync(() => Fail("silo"), wait);
        Assert.Equal(TimeSpan.FromSeconds(1), wait.Of(cluster.Options.RetryFor));
    }

    [Fact]
    public async Task Operations_are_told_apart()
    {
        await using MailClusterClient one = Cluster(TestCluster.Impatient);
        await using MailClusterClient other = Cluster(TestCluster.Impatient);
        OperationId[] ids = [.. Enumerable.Range(0, 100).SelectMany(_ => new[] { one.NextOperation(), other.NextOperation() })];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(ids, static id => Assert.True(id.Incarnation > 0));
    }

    private static MailClusterClient Cluster(MailClusterOptions options) => new(new FakeGrains(), null!, new LocalMailboxes(), options);

    private static ValueTask<MailResult<int>> Fail(string outage) => outage switch
    {
        "silo" => throw new SiloUnavailableException("dead"),
        "timeout" => throw new TimeoutException(),
        "cancelled" => throw new TaskCanceledException(),
        "store" => throw new StoreUnavailableException("no PostgreSQL"),
        "closed" => throw new IOException("reset"),
        "unavailable" => new(new MailError(MailErrorCode.Unavailable, "not now")),
        _ => new(new MailError(MailErrorCode.StaleEpoch, "moved")),
    };
}
