using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>EXPUNGE (RFC 9051 §6.4.3) and UID EXPUNGE (RFC 9051 §6.4.9).</summary>
internal static class Expunging
{
    public static Task AllDeletedAsync(Worker worker)
    {
        MailboxRef mailbox = worker.View!.Mailbox;
        return worker.Session.RunAsync(new Command("EXPUNGE") { Act = _ => new Expunge(mailbox, null) });
    }

    public static async Task SomeAsync(Worker worker)
    {
        if (worker.TryPick(10, out UidSet? numbers, out UidSet? uids))
            await RemoveAsync(worker, numbers, uids, worker.Chance(0.6));
    }

    /// <summary>Takes many messages away, so that mailboxes keep a bounded size.</summary>
    public static async Task ThinOutAsync(Worker worker)
    {
        if (!worker.TryPick(worker.Options.Crowd, out UidSet? numbers, out UidSet? uids))
            return;
        await RemoveAsync(worker, numbers, uids, delete: true);
        if (!worker.Session.Can("UIDPLUS") && worker.View is { ReadOnly: false })
            await AllDeletedAsync(worker);
    }

    private static async Task RemoveAsync(Worker worker, UidSet numbers, UidSet uids, bool delete)
    {
        MailboxView view = worker.View!;
        if (delete)
        {
            await worker.Session.RunAsync(
                Flagging.Make(view, numbers, uids, byUid: worker.ByUid(), StoreKind.Add, new FlagSet([@"\Deleted"]), silent: worker.Chance(0.5), since: null));
        }
        if (worker.View == view && worker.Session.Can("UIDPLUS"))
            await worker.Session.RunAsync(new Command("UID EXPUNGE", uids.ToString()) { Act = _ => new Expunge(view.Mailbox, uids) });
    }
}
