using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>FETCH of items of all messages of a large mailbox, again and again.</summary>
/// <param name="first">Each time as the first ever: what a server keeps of headers and structures is gone.</param>
internal sealed class FetchAll(string name, string items, string goal, bool first = false)
    : LoopWork(name, $"FETCH 1:* {items}, {(first ? "first ever" : "warm")}, 1 connection", Unit.Milliseconds, goal, 1)
{
    public override Task PrepareAsync(Target target, Settings settings) => LargeMailbox.OfAsync(target, settings);

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        string user = await LargeMailbox.OfAsync(target, settings);
        ImapConnection connection = await target.LoggedInAsync(user);
        byte[] select = ImapConnection.Command("SELECT INBOX"), command = ImapConnection.Command($"FETCH 1:* {items}");
        await connection.RunAsync(select);
        return new Client(async () =>
        {
            if (first)
            {
                await target.ForgetReadsAsync(user);
                using ImapConnection anew = await target.LoggedInAsync(user);
                await anew.RunAsync(select);
                return await anew.RunAsync(command);
            }
            Answer answer = await connection.RunAsync(command);
            return answer.Untagged >= settings.Messages ? answer : throw new UnexpectedAnswerException($"{answer.Untagged} of {settings.Messages} messages");
        }, connection);
    }
}

/// <summary>The mailbox of <see cref="Settings.Messages"/> messages of <see cref="Settings.MessageBytes"/> that several works read.</summary>
internal static class LargeMailbox
{
    public static Task<string> OfAsync(Target target, Settings settings) => target.MailboxAsync("large", settings.Messages, settings.MessageBytes);
}
