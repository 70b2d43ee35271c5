using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>FETCH and UID FETCH (RFC 9051 §6.4.5), nothing that sets \Seen.</summary>
internal static class Fetching
{
    /// <summary>Asks for what is not known of the selected mailbox; false where all is.</summary>
    public static async Task<bool> CatchUpAsync(Worker worker, MailboxView view)
    {
        if (view.FirstUnknownNumber is > 0 and var first)
        {
            bool numbers = worker.Session.Model.UsesNumbers;
            await worker.Session.RunAsync(new Command(numbers ? "FETCH" : "UID FETCH", $"{(numbers ? first : 1)}:* ({Items(worker)} {FetchItems.MarkItem})") { Act = _ => new Read("FETCH", view.Mailbox) });
            return true;
        }
        var without = UidSet.FromUids(view.Uids.Where(uid => view.Of(uid).Flags is null));
        if (without.IsEmpty)
            return false;
        await worker.Session.RunAsync(new Command("UID FETCH", $"{without} ({Items(worker)})") { Act = _ => new Read("FETCH", view.Mailbox) });
        return true;
    }

    public static async Task SomeAsync(Worker worker)
    {
        if (worker.TryPick(30, out UidSet? numbers, out UidSet? uids))
            await FetchAsync(worker, numbers, uids, worker.Chance(0.5) ? $"({Items(worker)})" : $"({Items(worker)} {FetchItems.MarkItem})");
    }

    public static Task AllAsync(Worker worker)
    {
        MailboxRef mailbox = worker.View!.Mailbox;
        return worker.Session.RunAsync(
            new Command(worker.ByUid() ? "UID FETCH" : "FETCH", $"1:* ({Items(worker)})") { Act = _ => new Read("FETCH", mailbox) });
    }

    /// <summary>Whole messages, compared with what was stored.</summary>
    public static async Task WholeAsync(Worker worker)
    {
        if (worker.TryPick(3, out UidSet? numbers, out UidSet? uids))
            await FetchAsync(worker, numbers, uids, "(UID BODY.PEEK[])");
    }

    /// <summary>RFC 7162 §3.2.6.</summary>
    public static Task ChangedSinceAsync(Worker worker)
    {
        MailboxView view = worker.View!;
        long since = view.Uids.Select(uid => view.Of(uid).ModSeq).Where(_ => worker.Chance(0.2)).FirstOrDefault() ?? 1;
        return worker.Session.RunAsync(new Command("UID FETCH", $"1:* (UID FLAGS) (CHANGEDSINCE {since} VANISHED)")
        {
            Act = _ => new Read("FETCH", view.Mailbox),
            ChangedSince = since,
        });
    }

    public static Task FetchAsync(Worker worker, UidSet numbers, UidSet uids, string items)
    {
        MailboxRef mailbox = worker.View!.Mailbox;
        bool byUid = worker.ByUid();
        return worker.Session.RunAsync(
            new Command(byUid ? "UID FETCH" : "FETCH", $"{(byUid ? uids : numbers)} {items}") { Act = _ => new Read("FETCH", mailbox) });
    }

    private static string Items(Worker worker) => worker.Session.Can("CONDSTORE") ? "UID FLAGS MODSEQ" : "UID FLAGS";
}
