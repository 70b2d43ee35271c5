using MailCluster.Storage.Lanes;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Lanes;

/// <summary>A commit that waits for the synchronous standby: it is on the primary's disk, and not acknowledged.</summary>
public sealed class SynchronousStandbyTests : MailStoreTest
{
    // Of its own: a standby that never comes stops every commit of the server.
    private readonly PostgresFixture _postgres;

    public SynchronousStandbyTests()
        : this(PostgresFixture.OfItsOwn())
    {
    }

    private SynchronousStandbyTests(PostgresFixture postgres)
        : base(postgres) => _postgres = postgres;

    [Theory]
    [InlineData("pg_cancel_backend")]
    [InlineData("pg_terminate_backend")]
    public async Task A_commit_whose_wait_for_the_standby_is_broken_off_is_unknown_and_its_retry_finds_it(string end)
    {
        Owned inbox = await MailboxAsync(await AccountAsync());
        CommitOperation append = await AppendOfAsync(inbox, 1);
        await SettingAsync("alter system set synchronous_standby_names = 'nobody'", "nobody");
        Task<CommitOutcome> commit = CommitAsync(append);
        await Eventually.Async("the commit does not wait for the standby", async () =>
            await ScalarAsync<long>($"select count({end}(pid)) from pg_stat_activity where application_name like '% lane%' and wait_event = 'SyncRep'") > 0);
        await Assert.ThrowsAsync<CommitUnknownException>(() => commit);

        await SettingAsync("alter system reset synchronous_standby_names", "");
        CommitOutcome again = await CommitAsync(Again(append));
        Assert.Equal((CommitStatus.DoneBefore, "1"), (again.Status, again.Uids.ToString()));
        Assert.Equal(1, (await LoadAsync(inbox)).Count);
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _postgres.DisposeAsync();
    }

    private async Task SettingAsync(string statement, string expected)
    {
        await ExecuteAsync(statement);
        await ScalarAsync<bool>("select pg_reload_conf()");
        await Eventually.Async("the setting does not take effect", async () =>
            await ScalarAsync<string>("select current_setting('synchronous_standby_names')") == expected
            && await ScalarAsync<long>("select count(*) from pg_stat_activity where wait_event = 'SyncRep'") == 0);
    }
}
