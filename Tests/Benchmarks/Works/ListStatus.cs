using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>LIST-STATUS (RFC 5819) over 500 folders that nobody has opened.</summary>
internal sealed class ListStatus() : LoopWork("list-status", "LIST RETURN (STATUS) over 500 folders, 1 connection", Unit.Milliseconds, "≤ 20 ms", 1)
{
    private const int Folders = 500;

    private readonly HashSet<Target> _filled = [];

    public override async Task PrepareAsync(Target target, Settings settings)
    {
        if (!_filled.Add(target))
            return;
        using ImapConnection connection = await target.LoggedInAsync(await target.AccountAsync("folders"));
        for (int i = 0; i < Folders; i++)
            await connection.RunAsync(ImapConnection.Command($"CREATE folder{i}"));
    }

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        ImapConnection connection = await target.LoggedInAsync(await target.AccountAsync("folders"));
        byte[] command = ImapConnection.Command("LIST \"\" \"*\" RETURN (STATUS (MESSAGES UNSEEN UIDNEXT UIDVALIDITY))");
        return new Client(async () =>
        {
            Answer answer = await connection.RunAsync(command);
            // A LIST and a STATUS each.
            return answer.Untagged >= 2 * Folders ? answer : throw new UnexpectedAnswerException($"{answer.Untagged} untagged responses");
        }, connection);
    }
}
