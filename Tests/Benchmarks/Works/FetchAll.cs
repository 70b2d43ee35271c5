using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>FETCH of items of all messages of a large mailbox, again and again.</summary>
internal sealed class FetchAll(string name, string items, string goal) : LoopWork(name, $"FETCH 1:* {items}, warm, 1 connection", Unit.Milliseconds, goal, 1)
{
    public override Task PrepareAsync(Target target, Settings settings) => LargeMailbox.OfAsync(target, settings);

    protected override async Task<Client> OpenAsync(Target target, Settings settings, int number)
    {
        ImapConnection connection = await target.LoggedInAsync(await LargeMailbox.OfAsync(target, settings));
        await connection.RunAsync(ImapConnection.Command("SELECT INBOX"));
        byte[] command = ImapConnection.Command($"FETCH 1:* {items}");
        return new Client(async () =>
        {
            Answer answer = await connection.RunAsync(command);
            return answer.Untagged >= settings.Messages ? answer : throw new UnexpectedAnswerException($"{answer.Untagged} of {settings.Messages} messages");
        }, connection);
    }
}

/// <summary>The mailbox of <see cref="Settings.Messages"/> messages of 4 KB that several works read.</summary>
internal static class LargeMailbox
{
    public static Task<string> OfAsync(Target target, Settings settings) => target.MailboxAsync("large", settings.Messages, 4096);
}
