using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Works;

/// <summary>
/// The largest private memory of the first of the server's parts, for MailCluster its node, while a client reads all of a large mailbox in the ways that there are, and another one large messages.
/// Where all of it together is more than <see cref="Target.FrontEndKeeps"/>, what is kept is thrown away and made anew all the time.
/// </summary>
internal sealed class NodeMemory() : Work("node-memory", "private memory, at most, while all of a large mailbox is read, searched and sorted", Unit.MegabytesKept, "")
{
    private static readonly string[] Commands =
    [
        "UID FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)", "UID FETCH 1:* (BODY.PEEK[])", "UID FETCH 1:* (BODY.PEEK[])", "UID SEARCH BODY customers", "UID SORT (SUBJECT) UTF-8 ALL",
        "UID FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)",
    ];

    public override bool IsAgainst(DovecotVariant variant) => false;

    public override Task PrepareAsync(Target target, Settings settings) => LargeMailbox.OfAsync(target, settings);

    public override async Task<Figures> RunAsync(Target target, Settings settings, CancellationToken cancellation)
    {
        string user = await LargeMailbox.OfAsync(target, settings);
        await target.RestartAsync();
        int process = target.Parts[0].Process;
        Console.Error.WriteLine($"private memory of the node just started: {Megabytes(process):0} MB");
        Meter meter = Meter.Start(target);
        await using var memory = new Memory(() => [("", process)]);
        using (ImapConnection connection = await target.LoggedInAsync(user))
        {
            await connection.RunAsync(ImapConnection.Command("SELECT INBOX"));
            foreach (string command in Commands)
            {
                cancellation.ThrowIfCancellationRequested();
                await connection.RunAsync(ImapConnection.Command(command));
                Console.Error.WriteLine($"after {command}: {Megabytes(process):0} MB");
            }
        }
        await target.ForgetReadsAsync(user);
        Console.Error.WriteLine($"after messages of 1 MB, more than are kept: {Megabytes(process):0} MB");
        Usage usage = meter.Stop();
        return new Figures(memory.Peaks[""] / 1e6, settings.Messages, new Latencies(), usage);
    }

    private static double Megabytes(int process) => Memory.PrivateBytes(process) / 1e6;
}
