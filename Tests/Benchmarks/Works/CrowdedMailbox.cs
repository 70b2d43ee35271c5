using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>
/// UID STORE by one client while many others have the mailbox selected, half of them in IDLE at each front end: what a change costs the servers for each session that hears of it.
/// </summary>
internal sealed class CrowdedMailbox(int sessions)
    : LoopWork($"crowd-{sessions}", $"UID STORE of one flag by one client, {sessions} others in IDLE in the mailbox, server CPU a change", Unit.CpuMilliseconds, "linear", 1)
{
    // Dovecot's sessions look only now and then, and its default limits end below these numbers.
    public override bool IsAgainst(DovecotVariant variant) => false;

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        string user = await target.MailboxAsync("crowd", 10, 1024);
        ImapConnection writer = await target.LoggedInAsync(user);
        await writer.RunAsync(ImapConnection.Command("SELECT INBOX"));
        byte[] set = ImapConnection.Command("UID STORE 5 +FLAGS.SILENT (\\Flagged)"), unset = ImapConnection.Command("UID STORE 5 -FLAGS.SILENT (\\Flagged)");
        // Whatever a run before has left: only a change is told.
        await writer.RunAsync(unset);
        var idlers = new List<ImapConnection>();
        for (int i = 0; i < sessions; i++)
        {
            ImapConnection idler = await ImapConnection.LoggedInAsync(i % 2 == 0 ? target.Imap : target.OtherImap, user, target.Password);
            await idler.RunAsync(ImapConnection.Command("SELECT INBOX"));
            await idler.IdleAsync();
            idlers.Add(idler);
        }
        bool flagged = false;
        return new Client(async () =>
        {
            flagged = !flagged;
            Task[] told = [.. idlers.Select(i => i.ToldAsync().AsTask())];
            Answer answer = await writer.RunAsync(flagged ? set : unset);
            await Task.WhenAll(told);
            return answer;
        }, [writer, .. idlers]);
    }
}
