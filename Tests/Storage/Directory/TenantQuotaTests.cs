using MailCluster.Storage.Directories;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Directories;

public sealed class TenantQuotaTests(PostgresFixture postgres) : DirectoryTest(postgres)
{
    [Fact]
    public async Task A_limit_that_is_set_while_mail_comes_in_starts_from_the_exact_usage()
    {
        var accounts = new List<long>();
        for (var i = 0; i < 4; i++)
            accounts.Add((await AddAsync($"u{i}@a.test")).Value);
        var tenant = (await Tenants.FindAsync("acme"))!.Id.Value;
        using var stop = new CancellationTokenSource();
        var writers = accounts.Select(account => Task.Run(async () =>
        {
            for (var i = 0; i < 20 || !stop.IsCancellationRequested; i++)
                await AppendAsync(account, tenant);
        })).ToArray();
        for (var i = 1; i <= 3; i++)
        {
            Ok(await Tenants.SetQuotaAsync("acme", new(null, null)));
            Ok(await Tenants.SetQuotaAsync("acme", new(1_000_000 + i, null)));
        }
        await stop.CancelAsync();
        await Task.WhenAll(writers);
        Assert.Equal(
            await ScalarAsync<string>("select sum(messages) || ' ' || sum(bytes) from mail.account"),
            await ScalarAsync<string>("select messages || ' ' || bytes from mail.tenant where charged and max_messages = 1000003"));
    }

    [Fact]
    public async Task A_transaction_that_has_not_seen_the_limit_is_waited_for()
    {
        var account = (await AddAsync("u@a.test")).Value;
        await using var connection = await Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("update mail.account set messages = messages + 5 where account_id = $1", account);
        var setting = Tenants.SetQuotaAsync("acme", new(100, null));
        while (await ScalarAsync<long>("select count(*) from mail.tenant where charged") == 0)
            await Task.Yield();
        Assert.Equal(0, await ScalarAsync<long>("select count(*) from mail.tenant where max_messages is not null"));
        Assert.False(setting.IsCompleted);
        await transaction.CommitAsync();
        Ok(await setting);
        Assert.Equal(5, await ScalarAsync<long>("select messages from mail.tenant"));
    }

    // Locks in the order of a commit: account, then the tenant where it is charged.
    private async Task AppendAsync(long account, long tenant)
    {
        await using var connection = await Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await connection.ExecuteAsync("select 1 from mail.account where account_id = $1 for no key update", account);
        var charged = await connection.ScalarAsync("select 1 from mail.tenant where tenant_id = $1 and charged for no key update", tenant) is not null;
        await connection.ExecuteAsync("update mail.account set messages = messages + 1, bytes = bytes + 10 where account_id = $1", account);
        if (charged)
            await connection.ExecuteAsync("update mail.tenant set messages = messages + 1, bytes = bytes + 10 where tenant_id = $1", tenant);
        await transaction.CommitAsync();
    }
}
