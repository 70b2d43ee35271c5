using MailCluster.Contracts;
using MailCluster.Storage.Directories;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Directories;

public sealed class DirectoryEventsTests(PostgresFixture postgres) : DirectoryTest(postgres)
{
    [Fact]
    public async Task Every_change_of_an_account_is_told()
    {
        var alice = await AddAsync("alice@a.test");
        var tenant = (await Tenants.FindAsync("acme"))!.Id;
        var events = new DirectoryEvents(Database);
        await using var reader = events.ReadAsync(default).GetAsyncEnumerator();
        Assert.Equal(new DirectoryEvent(DirectoryEventKind.Missed), await NextAsync(reader));

        Ok(await Accounts.SetVerifierAsync("alice@a.test", ScramVerifier.Create("x")));
        Assert.Equal(new(DirectoryEventKind.Password, alice), await NextAsync(reader));
        Ok(await Accounts.SetStateAsync("alice@a.test", false, null));
        Assert.Equal(new(DirectoryEventKind.State, alice), await NextAsync(reader));
        Ok(await Accounts.SetQuotaAsync("alice@a.test", new(1, null)));
        Assert.Equal(new(DirectoryEventKind.Settings, alice), await NextAsync(reader));
        Ok(await Accounts.RenameAsync("alice@a.test", "alice2@a.test"));
        Assert.Equal(new(DirectoryEventKind.Renamed, alice), await NextAsync(reader));
        Ok(await Tenants.SetEnabledAsync("acme", false));
        Assert.Equal(new(DirectoryEventKind.State, null, tenant), await NextAsync(reader));
        await events.KickAsync(alice, null, new SessionFilter(Address: "192.0.2.1"));
        Assert.Equal(new(DirectoryEventKind.Kick, alice, null, new SessionFilter(Address: "192.0.2.1")), await NextAsync(reader));
        Ok(await Accounts.DeleteAsync("alice2@a.test"));
        Assert.Equal(new(DirectoryEventKind.Deleted, alice), await NextAsync(reader));
    }

    [Fact]
    public async Task After_a_lost_connection_everything_may_have_changed()
    {
        await using var own = NpgsqlDataSource.Create(ConnectionString + ";Application Name=listener");
        await using var reader = new DirectoryEvents(own).ReadAsync(default).GetAsyncEnumerator();
        Assert.Equal(DirectoryEventKind.Missed, (await NextAsync(reader)).Kind);
        var next = NextAsync(reader);
        await ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'listener'");
        Assert.Equal(DirectoryEventKind.Missed, (await next).Kind);
        await AddAsync("alice@a.test");
        Ok(await Accounts.SetStateAsync("alice@a.test", false, null));
        Assert.Equal(DirectoryEventKind.State, (await NextAsync(reader)).Kind);
    }

    [Fact]
    public async Task What_is_not_understood_may_be_anything()
    {
        await using var reader = new DirectoryEvents(Database).ReadAsync(default).GetAsyncEnumerator();
        await NextAsync(reader);
        await ExecuteAsync("notify mailcluster_account, 'x'");
        Assert.Equal(DirectoryEventKind.Missed, (await NextAsync(reader)).Kind);
    }

    private static async Task<DirectoryEvent> NextAsync(IAsyncEnumerator<DirectoryEvent> reader)
    {
        Assert.True(await reader.MoveNextAsync());
        return reader.Current;
    }
}
