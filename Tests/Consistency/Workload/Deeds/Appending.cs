using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Contracts;
using NewMessage = MailCluster.Consistency.History.NewMessage;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>APPEND (RFC 9051 §6.3.12) and MULTIAPPEND (RFC 3502), with and without CATENATE (RFC 4469), and REPLACE (RFC 8508), to any mailbox.</summary>
internal static class Appending
{
    public static Task OneAsync(Worker worker) => AppendAsync(worker, 1);

    public static Task SeveralAsync(Worker worker) => AppendAsync(worker, worker.Random.Next(2, 6));

    /// <summary>Small mostly, now and then 200 KB.</summary>
    public static int AnySize(Worker worker) => worker.Chance(0.01) ? 200_000 : worker.Random.Next(300, 4_000);

    private static async Task AppendAsync(Worker worker, int count)
    {
        string name = worker.AnyMailbox();
        (NewMessage Message, string Annotations)[] messages = [.. Enumerable.Range(0, count).Select(_ => Next(worker))];
        var command = new Command("APPEND", name)
        {
            Act = answer => new Append(worker.MailboxOf(answer.CodeOf("APPENDUID"), name), name, [.. messages.Select(static m => m.Message)], UidsOf(answer)),
        };
        foreach ((NewMessage message, string annotations) in messages)
            Add(worker, command, message, annotations);
        Answer answer = await worker.Session.RunAsync(command);
        if (answer.Code?.Name == "TRYCREATE")
            worker.Account.Disappeared(name);
    }

    /// <summary>One message of the selected mailbox makes place for another, there or anywhere.</summary>
    public static async Task ReplaceAsync(Worker worker)
    {
        if (!worker.TryPick(1, out UidSet? numbers, out UidSet? uids))
            return;
        MailboxRef mailbox = worker.View!.Mailbox;
        uint uid = uids[0].First;
        string name = worker.Chance(0.7) ? worker.View.Name : worker.AnyMailbox();
        (NewMessage message, string annotations) = Next(worker);
        bool byUid = worker.ByUid();
        var command = new Command(byUid ? "UID REPLACE" : "REPLACE", $"{(byUid ? uids : numbers)} {name}")
        {
            Act = answer => new Replace(mailbox, uid, worker.MailboxOf(answer.CodeOf("APPENDUID"), name), name, message, UidsOf(answer) is [var told] ? told : null),
        };
        Add(worker, command, message, annotations);
        Answer answer = await worker.Session.RunAsync(command);
        if (answer.Code?.Name == "TRYCREATE")
            worker.Account.Disappeared(name);
    }

    /// <summary>Some come with annotations.</summary>
    private static (NewMessage Message, string Annotations) Next(Worker worker)
    {
        NewMessage message = worker.Marks.Next(AnySize(worker), Flagging.AnyFlags(worker, 0.5));
        if (!Annotating.IsOffered(worker.Session) || !worker.Chance(0.2))
            return (message, "");
        IReadOnlyList<(string, bool, string?)> values = Annotating.AnyValues(worker, 0.4);
        return (message with { Annotations = Annotating.Named(worker, values) }, " " + Annotating.Text(values));
    }

    private static void Add(Worker worker, Command command, NewMessage message, string annotations)
    {
        string flags = (message.Flags.Names.Count > 0 ? $" {message.Flags}" : "") + annotations;
        byte[] octets = Marks.OctetsOf(message);
        if (!worker.Session.Can("CATENATE") || !worker.Chance(0.2))
        {
            command.And(flags + " ").Literal(octets);
            return;
        }
        int at = worker.Random.Next(1, octets.Length);
        command.And(flags + " CATENATE (TEXT ").Literal(octets[..at]).And(" TEXT ").Literal(octets[at..]).And(")");
    }

    private static IReadOnlyList<uint> UidsOf(Answer answer) =>
        answer.CodeOf("APPENDUID")?.Arguments is [_, { Text: { } set }] && Sets.Members(set) is { } uids ? uids : [];
}
