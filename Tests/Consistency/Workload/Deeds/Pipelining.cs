using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>Several commands in one piece, that mean the same whatever is told between them (RFC 9051 §5.5): all by UID.</summary>
internal static class Pipelining
{
    public static async Task SomeAsync(Worker worker)
    {
        if (!worker.TryPick(8, out UidSet? numbers, out UidSet? uids))
            return;
        MailboxView view = worker.View!;
        var commands = new List<Command>();
        for (int left = worker.Random.Next(2, 6); left > 0; left--)
        {
            commands.Add(worker.Random.Next(view.ReadOnly ? 2 : 4) switch
            {
                0 => Searching.All(view, "SEARCH", extended: false),
                1 => new Command("UID FETCH", $"{uids} (FLAGS)") { Act = _ => new Read("FETCH", view.Mailbox) },
                2 => Flagging.Make(view, numbers, uids, byUid: true, StoreKind.Add, new FlagSet([Flagging.AnyFlag(worker)]), silent: false, since: null),
                _ => Flagging.Make(view, numbers, uids, byUid: true, StoreKind.Remove, new FlagSet([Flagging.AnyFlag(worker)]), silent: true, since: null),
            });
        }
        await worker.Session.PipelineAsync([.. commands]);
    }
}
