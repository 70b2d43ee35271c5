using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>SEARCH of the large mailbox.</summary>
internal sealed class SearchText(string name, string key, string says, string goal) : LoopWork(name, $"SEARCH {says}, 1 connection", Unit.Milliseconds, goal, 1)
{
    public override Task PrepareAsync(Target target, Settings settings) => LargeMailbox.OfAsync(target, settings);

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        ImapConnection connection = await target.LoggedInAsync(await LargeMailbox.OfAsync(target, settings));
        await connection.RunAsync(ImapConnection.Command("SELECT INBOX"));
        byte[] command = ImapConnection.Command($"SEARCH {key}");
        return new Client(() => connection.RunAsync(command), connection);
    }
}
