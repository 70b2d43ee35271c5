using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>COPY (RFC 9051 §6.4.7) and MOVE (RFC 6851), by number and by UID; the same mailbox may be the destination of a COPY.</summary>
internal static class Transferring
{
    public static Task CopyAsync(Worker worker) => TransferAsync(worker, move: false);

    public static Task MoveAsync(Worker worker) => TransferAsync(worker, move: true);

    private static async Task TransferAsync(Worker worker, bool move)
    {
        if (!worker.TryPick(6, out UidSet? numbers, out UidSet? uids))
            return;
        string from = worker.View!.Name;
        string[] others = [.. worker.Account.Names.Where(n => n != from)];
        if (others.Length == 0)
            return;
        // Two mailboxes mostly, so that clients often move from one to the other and back at the same moment.
        string to = !move && worker.Chance(0.1) ? from : worker.Chance(0.7) ? others[0] : worker.OneOf(others);
        bool byUid = worker.ByUid();
        MailboxRef mailbox = worker.View.Mailbox;
        Answer answer = await worker.Session.RunAsync(new Command($"{(byUid ? "UID " : "")}{(move ? "MOVE" : "COPY")}", $"{(byUid ? uids : numbers)} {to}")
        {
            Act = answer => new Transfer(mailbox, worker.MailboxOf(answer.CodeOf("COPYUID"), to), to, uids, move, PairsOf(answer)),
            Inspect = Check,
        });
        if (answer.Code?.Name == "TRYCREATE")
            worker.Account.Disappeared(to);
    }

    private static IReadOnlyList<(uint Source, uint Destination)> PairsOf(Answer answer) =>
        Sets2(answer) is ({ } sources, { } destinations) ? [.. sources.Zip(destinations)] : [];

    private static (IReadOnlyList<uint>? Sources, IReadOnlyList<uint>? Destinations) Sets2(Answer answer) =>
        answer.CodeOf("COPYUID")?.Arguments is [_, var sources, var destinations] ? (Sets.Members(sources.Text), Sets.Members(destinations.Text)) : (null, null);

    private static void Check(Answer answer, SessionModel model)
    {
        if (answer.CodeOf("COPYUID") is not null && (Sets2(answer) is not ({ } sources, { } destinations) || sources.Count != destinations.Count))
            model.Breach(answer, answer.Completed, "imap", "COPYUID without two sets of the same size");
    }
}
