using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>UID STORE of one flag, set and taken away in turn, each client on a message of its own of one mailbox.</summary>
internal sealed class StoreFlags(int clients, string goal)
    : LoopWork($"store-{clients}", $"UID STORE of one flag, {clients} connection{(clients > 1 ? "s on one mailbox" : "")}", Unit.PerSecond, goal, clients)
{
    public override bool IsAgainst(DovecotVariant variant) => variant.IsUsualForWrites;

    public override Task PrepareAsync(Target target, Settings settings) => target.MailboxAsync("store", 100, 1024);

    public override Task<double>? PostgresAsync(string connectionString, Settings settings) =>
        PostgresFigures.StoresAsync(connectionString, Clients, settings.Seconds);

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        ImapConnection connection = await target.LoggedInAsync(await target.MailboxAsync("store", 100, 1024));
        await connection.RunAsync(ImapConnection.Command("SELECT INBOX"));
        byte[] add = ImapConnection.Command($"UID STORE {number + 1} +FLAGS (\\Flagged)");
        byte[] remove = ImapConnection.Command($"UID STORE {number + 1} -FLAGS (\\Flagged)");
        bool adds = false;
        return new Client(() => connection.RunAsync((adds = !adds) ? add : remove), connection);
    }
}
