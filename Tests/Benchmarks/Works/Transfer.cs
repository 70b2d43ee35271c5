using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>COPY of one message to another mailbox, again and again; or MOVE of it to and fro between two, by a session in each, which takes turns.</summary>
internal sealed class Transfer(bool move, string goal) : LoopWork(move ? "move" : "copy", move ? "UID MOVE of one message, to and fro" : "UID COPY of one message", Unit.PerSecond, goal, 1)
{
    private readonly HashSet<Target> _prepared = [];

    public override bool IsAgainst(DovecotVariant variant) => variant.IsUsualForWrites;

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        string account = await target.MailboxAsync(Name, 1, 4096);
        ImapConnection here = await target.LoggedInAsync(account);
        if (_prepared.Add(target))
            await here.RunAsync(ImapConnection.Command("CREATE Other"));
        await here.RunAsync(ImapConnection.Command("SELECT INBOX"));
        byte[] forth = ImapConnection.Command($"UID {Name} 1:* Other");
        if (!move)
            return new Client(() => here.RunAsync(forth), here);
        ImapConnection there = await target.LoggedInAsync(account);
        await there.RunAsync(ImapConnection.Command("SELECT Other"));
        byte[] back = ImapConnection.Command("UID MOVE 1:* INBOX");
        bool isThere = false;
        return new Client(() => (isThere = !isThere) ? here.RunAsync(forth) : there.RunAsync(back), here, there);
    }
}
