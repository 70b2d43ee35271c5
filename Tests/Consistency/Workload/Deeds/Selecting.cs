using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>SELECT, EXAMINE, CLOSE, UNSELECT (RFC 9051 §6.3.2, §6.3.3, §6.4.1, §6.4.2), and SELECT with QRESYNC (RFC 7162 §3.2.5), whose result is compared.</summary>
internal static class Selecting
{
    public static Task SelectAsync(Worker worker) => OpenAsync(worker, worker.AnyMailbox(), worker.Chance(0.12), null);

    public static async Task ResyncAsync(Worker worker)
    {
        Remembered remembered = worker.OneOf(worker.Memories);
        Answer answer = await OpenAsync(worker, remembered.Name, worker.Chance(0.12), remembered);
        if (!answer.IsOk)
            worker.Forget(remembered);
        else if (worker.View is { } view && view.Mailbox == remembered.Mailbox && view.Memory.UidValidity == remembered.UidValidity)
            await worker.Session.RunAsync(new Comparing(view).Fetch());
        else
            worker.Forget(remembered);
    }

    public static Task CloseAsync(Worker worker)
    {
        MailboxView view = worker.View!;
        return worker.Session.RunAsync(new Command("CLOSE") { Act = _ => view.ReadOnly ? new Read("CLOSE", view.Mailbox) : new Expunge(view.Mailbox, null) });
    }

    public static Task UnselectAsync(Worker worker)
    {
        MailboxRef mailbox = worker.View!.Mailbox;
        return worker.Session.RunAsync(new Command("UNSELECT") { Act = _ => new Read("UNSELECT", mailbox) });
    }

    private static async Task<Answer> OpenAsync(Worker worker, string name, bool readOnly, Remembered? since)
    {
        string known = since is null ? "" : Known(worker, since);
        string[] asked =
        [
            .. since is not null ? (string[])[$"QRESYNC ({since.UidValidity} {since.ModSeq}{known})"] : worker.Chance(0.2) && worker.Session.Can("CONDSTORE") ? ["CONDSTORE"] : [],
            .. worker.Chance(0.15) && Annotating.IsOffered(worker.Session) ? (string[])["ANNOTATE"] : [],
        ];
        string parameters = asked.Length > 0 ? $" ({string.Join(' ', asked)})" : "";
        SessionModel model = worker.Session.Model;
        Answer answer = await worker.Session.RunAsync(new Command(readOnly ? "EXAMINE" : "SELECT", name + parameters)
        {
            Select = new SelectAsk(name, readOnly, since, known.Length > 0),
            Act = answer =>
            {
                // The name may have become another mailbox's: the server then starts afresh, and says so by another UIDVALIDITY.
                bool resumed = since is not null && answer.IsOk && model.View is { } view && view.Mailbox == since.Mailbox && view.Memory.UidValidity == since.UidValidity;
                return new Select(name, answer.IsOk ? model.Selected : null, readOnly, resumed ? since!.ModSeq : null,
                    resumed && known.Length > 0 ? UidSet.FromUids(since!.Messages.Keys.ToList()) : null);
            },
        });
        if (answer.Code?.Name == "NONEXISTENT")
            worker.Account.Disappeared(name);
        return answer;
    }

    // Optional: known UIDs, and numbers with their UIDs (RFC 7162 §3.2.5.1, §3.2.5.2).
    private static string Known(Worker worker, Remembered since)
    {
        if (since.Messages.Count == 0 || worker.Chance(0.4))
            return "";
        uint[] uids = [.. since.Messages.Keys.Order()];
        string known = $" {UidSet.FromUids(uids)}";
        if (worker.Chance(0.5) || worker.Session.Model.HasUidOnly)
            return known;
        int middle = (uids.Length + 1) / 2;
        var numbers = UidSet.FromUids([1u, (uint)middle, (uint)uids.Length]);
        return $"{known} ({numbers} {UidSet.FromUids([uids[0], uids[middle - 1], uids[^1]])})";
    }
}
