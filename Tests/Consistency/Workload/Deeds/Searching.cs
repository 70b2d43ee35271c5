using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>SEARCH and UID SEARCH (RFC 9051 §6.4.4), as SEARCH and as ESEARCH.</summary>
internal static class Searching
{
    /// <summary>All UIDs: the mailbox at a moment.</summary>
    public static Task AllAsync(Worker worker) => worker.Session.RunAsync(All(worker.View!, "SEARCH", worker.Session.Can("ESEARCH") && worker.Chance(0.5)));

    public static Command All(MailboxView view, string read, bool extended) => new("UID SEARCH", extended ? "RETURN (ALL COUNT) ALL" : "ALL")
    {
        SeeksAll = true,
        Act = _ => new Read(read, view.Mailbox),
    };

    public static Task FlagAsync(Worker worker)
    {
        string flag = Flagging.AnyFlag(worker);
        string key = flag[0] == '\\' ? flag[1..].ToUpperInvariant() : $"KEYWORD {flag}";
        string extended = worker.Session.Can("ESEARCH") && worker.Chance(0.5) ? "RETURN (ALL) " : "";
        return Run(worker, "UID SEARCH", extended + key, flag);
    }

    /// <summary>By numbers: EXPUNGE may not be told, so that the numbers mean what the client thinks.</summary>
    public static Task NumbersAsync(Worker worker) => Run(worker, "SEARCH", worker.Chance(0.5) ? "ALL" : "UNSEEN UNDELETED", null);

    public static Task ModSeqAsync(Worker worker) =>
        Run(worker, worker.ByUid() ? "UID SEARCH" : "SEARCH", $"MODSEQ {Math.Max(1, worker.View!.SyncedModSeq!.Value - worker.Random.Next(50))}", null);

    private static Task Run(Worker worker, string name, string key, string? flag)
    {
        MailboxView view = worker.View!;
        return worker.Session.RunAsync(new Command(name, key) { SeeksFlag = flag, Act = _ => new Read("SEARCH", view.Mailbox) });
    }
}
