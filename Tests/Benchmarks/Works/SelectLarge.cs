using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>SELECT of a large mailbox that is in use; UNSELECT in between is not measured.</summary>
internal sealed class SelectLarge() : LoopWork("select", "SELECT of the large mailbox, in use, 1 connection", Unit.Milliseconds, "≤ 0.5 ms", 1)
{
    public override Task PrepareAsync(Target target, Settings settings) => LargeMailbox.OfAsync(target, settings);

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        string user = await LargeMailbox.OfAsync(target, settings);
        ImapConnection holds = await target.LoggedInAsync(user);
        await holds.RunAsync(ImapConnection.Command("SELECT INBOX"));
        await holds.RunAsync(ImapConnection.Command("FETCH 1 FLAGS"));
        ImapConnection connection = await target.LoggedInAsync(user);
        byte[] select = ImapConnection.Command("SELECT INBOX");
        byte[] unselect = ImapConnection.Command("UNSELECT");
        return new Client(async () =>
        {
            Answer answer = await connection.RunAsync(select);
            await connection.RunAsync(unselect);
            return answer;
        }, connection, holds);
    }
}
