using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>APPEND (RFC 9051 §6.3.12) and MULTIAPPEND (RFC 3502), to any mailbox.</summary>
internal static class Appending
{
    public static Task OneAsync(Worker worker) => AppendAsync(worker, 1);

    public static Task SeveralAsync(Worker worker) => AppendAsync(worker, worker.Random.Next(2, 6));

    /// <summary>Small mostly, now and then 200 KB.</summary>
    public static int AnySize(Worker worker) => worker.Chance(0.01) ? 200_000 : worker.Random.Next(300, 4_000);

    private static async Task AppendAsync(Worker worker, int count)
    {
        string name = worker.AnyMailbox();
        NewMessage[] messages = [.. Enumerable.Range(0, count).Select(_ => worker.Marks.Next(AnySize(worker), Flagging.AnyFlags(worker, 0.5)))];
        var command = new Command("APPEND", name)
        {
            Act = answer => new Append(worker.MailboxOf(answer.CodeOf("APPENDUID")), name, messages, UidsOf(answer)),
        };
        foreach (NewMessage message in messages)
        {
            string flags = message.Flags.Names.Count > 0 ? $" {message.Flags}" : "";
            command.And(flags + " ").Literal(Marks.OctetsOf(message));
        }
        Answer answer = await worker.Session.RunAsync(command);
        if (answer.Code?.Name == "TRYCREATE")
            worker.Account.Disappeared(name);
    }

    private static IReadOnlyList<uint> UidsOf(Answer answer) =>
        answer.CodeOf("APPENDUID")?.Arguments is [_, { Text: { } set }] && Sets.Members(set) is { } uids ? uids : [];
}
