using MailCluster.Server.Configuration;
using MailCluster.Server.Hosting;
using MailCluster.Tests.Support;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Runtime;
using Orleans.Storage;
using Xunit;

namespace MailCluster.Tests.Cluster;

/// <summary>Orleans' providers on our tables and statements, in a silo inside the test's process.</summary>
public sealed class OrleansTablesTests(PostgresFixture postgres) : IAsyncLifetime
{
    private WebApplication _node = null!;

    public async ValueTask InitializeAsync()
    {
        var options = new NodeOptions
        {
            Name = "tables",
            Cluster = { SiloPort = FreePorts.Next(), GatewayPort = FreePorts.Next() },
            Database = { ConnectionString = await postgres.CreateDatabaseAsync() },
            Log = { Level = Microsoft.Extensions.Logging.LogLevel.Warning },
        };
        _node = await Node.BuildAsync(options, NodeRole.All);
        await _node.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _node.StopAsync();
        await _node.DisposeAsync();
    }

    [Theory]
    [InlineData("text")]
    [InlineData("17")]
    [InlineData("8c8ff2e5a2a14bb0a5a5b7d2c1c0ffee")]
    public async Task Grain_state_is_written_read_and_cleared_and_a_stale_writer_is_refused(string key)
    {
        var storage = _node.Services.GetRequiredService<IGrainStorage>();
        var id = GrainId.Create("document", key);
        var mine = new GrainState<List<string>>([]);
        await storage.ReadStateAsync("notes", id, mine);
        Assert.False(mine.RecordExists);

        mine.State = ["one"];
        await storage.WriteStateAsync("notes", id, mine);
        var other = new GrainState<List<string>>([]);
        await storage.ReadStateAsync("notes", id, other);
        Assert.Equal(["one"], other.State);
        Assert.Equal(mine.ETag, other.ETag);

        other.State = ["one", "two"];
        await storage.WriteStateAsync("notes", id, other);
        mine.State = ["lost"];
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("notes", id, mine));
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.ClearStateAsync("notes", id, mine));
        // A second activation that never read must not take the first one's place.
        var blind = new GrainState<List<string>>(["lost"]);
        await Assert.ThrowsAsync<InconsistentStateException>(() => storage.WriteStateAsync("notes", id, blind));

        await storage.ClearStateAsync("notes", id, other);
        var after = new GrainState<List<string>>([]);
        await storage.ReadStateAsync("notes", id, after);
        Assert.Empty(after.State ?? []);
        after.State = ["three"];
        await storage.WriteStateAsync("notes", id, after);
        await storage.ReadStateAsync("notes", id, other);
        Assert.Equal(["three"], other.State);
    }

    [Fact]
    public async Task Documents_of_different_kinds_and_keys_do_not_meet()
    {
        var storage = _node.Services.GetRequiredService<IGrainStorage>();
        var ids = new[] { GrainId.Create("document", "a"), GrainId.Create("document", "b") };
        foreach (var (id, kind) in ids.SelectMany(id => new[] { (id, "x"), (id, "y") }))
        {
            await storage.WriteStateAsync(kind, id, new GrainState<List<string>>([id + kind]));
        }
        foreach (var (id, kind) in ids.SelectMany(id => new[] { (id, "x"), (id, "y") }))
        {
            var state = new GrainState<List<string>>([]);
            await storage.ReadStateAsync(kind, id, state);
            Assert.Equal([id + kind], state.State);
        }
    }

    [Fact]
    public async Task A_reminder_is_registered_fires_and_is_gone_after_it_was_unregistered()
    {
        var grain = _node.Services.GetRequiredService<IGrainFactory>().GetGrain<IBell>("bell");
        await grain.SetAsync();
        Assert.Equal("ding", await Bell.Rung.Task.WaitAsync(TimeSpan.FromMinutes(3)));
        Assert.Equal(["ding"], await grain.NamesAsync());
        await grain.SetAsync();
        await grain.TakeAwayAsync();
        Assert.Empty(await grain.NamesAsync());
    }
}

[Alias("test.Bell")]
public interface IBell : IGrainWithStringKey
{
    [Alias("Set")]
    Task SetAsync();

    [Alias("Names")]
    Task<string[]> NamesAsync();

    [Alias("TakeAway")]
    Task TakeAwayAsync();
}

public sealed class Bell : Grain, IBell, IRemindable
{
    public static readonly TaskCompletionSource<string> Rung = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task SetAsync() => this.RegisterOrUpdateReminder("ding", TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1));

    public async Task<string[]> NamesAsync() => [.. (await this.GetReminders()).Select(r => r.ReminderName)];

    public async Task TakeAwayAsync() => await this.UnregisterReminder((await this.GetReminder("ding"))!);

    public Task ReceiveReminder(string reminderName, TickStatus status)
    {
        Rung.TrySetResult(reminderName);
        return Task.CompletedTask;
    }
}
