using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>STORE in all its forms (RFC 9051 §6.4.6, RFC 7162 §3.1.3), by number and by UID.</summary>
internal static class Flagging
{
    private static readonly string[] Flags = [@"\Seen", @"\Flagged", @"\Answered", @"\Draft", "$Forwarded", "Label1", "Label2", "Label3"];

    /// <summary>Each with a chance of <paramref name="share"/> to be followed by another; \Deleted rarely.</summary>
    public static FlagSet AnyFlags(Worker worker, double share)
    {
        var flags = new List<string>();
        while (worker.Chance(share))
            flags.Add(worker.Chance(0.06) ? @"\Deleted" : worker.OneOf(Flags));
        return new FlagSet(flags);
    }

    public static string AnyFlag(Worker worker) => worker.Chance(0.15) ? @"\Deleted" : worker.OneOf(Flags);

    public static Task StoreAsync(Worker worker) => StoreAsync(worker, since: null);

    /// <summary>With the modseq that the client has of one of the messages, or an older one.</summary>
    public static Task StoreUnchangedSinceAsync(Worker worker)
    {
        MailboxView view = worker.View!;
        long since = view.Uids.Select(uid => view.Of(uid).ModSeq).Where(_ => worker.Chance(0.3)).FirstOrDefault() ?? view.SyncedModSeq!.Value;
        return StoreAsync(worker, since);
    }

    private static async Task StoreAsync(Worker worker, long? since)
    {
        if (!worker.TryPick(12, out UidSet? numbers, out UidSet? uids))
            return;
        var kind = (StoreKind)worker.Random.Next(3);
        FlagSet flags = AnyFlags(worker, 0.4).With(new FlagSet([AnyFlag(worker)]));
        await worker.Session.RunAsync(Make(worker.View!, numbers, uids, byUid: worker.ByUid(), kind, flags, silent: worker.Chance(0.3), since));
    }

    public static Command Make(MailboxView view, UidSet numbers, UidSet uids, bool byUid, StoreKind kind, FlagSet flags, bool silent, long? since)
    {
        string item = kind switch { StoreKind.Add => "+FLAGS", StoreKind.Remove => "-FLAGS", _ => "FLAGS" };
        string modifier = since is null ? "" : $"(UNCHANGEDSINCE {since}) ";
        return new Command(byUid ? "UID STORE" : "STORE", $"{(byUid ? uids : numbers)} {modifier}{item}{(silent ? ".SILENT" : "")} {flags}")
        {
            Act = answer => new Store(view.Mailbox, uids, kind, flags, since, Modified(answer, view, byUid)),
        };
    }

    // Numbers do not change while a STORE by number is answered, so they can be translated now.
    public static UidSet Modified(Answer answer, MailboxView view, bool byUid)
    {
        UidSet set = answer.CodeOf("MODIFIED")?.Arguments is [{ Text: { } text }] ? Sets.Parse(text) ?? UidSet.Empty : UidSet.Empty;
        return byUid ? set : UidSet.FromUids(set.Uids().Where(n => n <= view.Exists).Select(n => view.UidAt((int)n)).Where(static u => u != 0));
    }
}
