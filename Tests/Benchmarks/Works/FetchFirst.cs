using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>The first FETCH after SELECT of a large mailbox that no server process has in memory: the time in which its messages are loaded.</summary>
internal sealed class FetchFirst() : LoopWork("fetch-first", "first FETCH 1 FLAGS of the large mailbox, not in memory", Unit.Milliseconds, "≤ 60 ms for 100,000", 1)
{
    public override Task PrepareAsync(Target target, Settings settings) => LargeMailbox.OfAsync(target, settings);

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        ImapConnection connection = await target.LoggedInAsync(await LargeMailbox.OfAsync(target, settings));
        byte[] select = ImapConnection.Command("SELECT INBOX"), fetch = ImapConnection.Command("FETCH 1 FLAGS"), unselect = ImapConnection.Command("UNSELECT");
        return new Client(async () =>
        {
            await target.ForgetAsync();
            await connection.RunAsync(select);
            Answer answer = await connection.RunAsync(fetch);
            await connection.RunAsync(unselect);
            return answer;
        }, connection);
    }
}
