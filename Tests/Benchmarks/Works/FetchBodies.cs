using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>
/// UID FETCH 1:* BODY.PEEK[] again and again: what was read before is read from memory, wherever a server has it. Where all messages together are more than
/// <see cref="Target.FrontEndKeeps"/>, none of them is still in MailCluster's front end when its turn comes again: they are read from PostgreSQL, from its memory or the system's.
/// </summary>
internal sealed class FetchBodies(string name, int messages, int bytes, string goal)
    : LoopWork(name, $"UID FETCH BODY.PEEK[] of {messages} messages of {(bytes >= 1 << 20 ? $"{bytes >> 20} MB" : $"{bytes >> 10} KB")}, {((long)messages * bytes > Target.FrontEndKeeps ? "more than a front end keeps" : "warm")}, 1 connection", Unit.Megabytes, goal, 1)
{
    public override Task PrepareAsync(Target target, Settings settings) => target.MailboxAsync("bodies", messages, bytes);

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        ImapConnection connection = await target.LoggedInAsync(await target.MailboxAsync("bodies", messages, bytes));
        await connection.RunAsync(ImapConnection.Command("SELECT INBOX"));
        byte[] command = ImapConnection.Command("UID FETCH 1:* BODY.PEEK[]");
        return new Client(async () =>
        {
            Answer answer = await connection.RunAsync(command);
            return answer.Untagged >= messages ? answer : throw new UnexpectedAnswerException($"{answer.Untagged} of {messages} messages");
        }, connection);
    }
}
