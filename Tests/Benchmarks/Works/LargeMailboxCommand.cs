using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>A command about all of the large mailbox, again and again, so that caches are warm.</summary>
internal sealed class LargeMailboxCommand(string name, string command, string goal) : LoopWork(name, $"{command}, large mailbox, 1 connection", Unit.Milliseconds, goal, 1)
{
    public override Task PrepareAsync(Target target, Settings settings) => LargeMailbox.OfAsync(target, settings);

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        ImapConnection connection = await target.LoggedInAsync(await LargeMailbox.OfAsync(target, settings));
        await connection.RunAsync(ImapConnection.Command("SELECT INBOX"));
        byte[] bytes = ImapConnection.Command(command);
        return new Client(() => connection.RunAsync(bytes), connection);
    }
}
