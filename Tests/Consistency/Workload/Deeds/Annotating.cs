using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>Annotations of messages (RFC 5257), the client's own and shared ones: STORE and FETCH. APPEND, COPY and MOVE take them along.</summary>
internal static class Annotating
{
    /// <summary>What FETCH asks for; each entry is answered, also where there is none.</summary>
    public const string Item = $"ANNOTATION (({Comment} {Label}) (value.priv value.shared))";

    private const string Comment = "/comment";
    private const string Label = "/vendor/check/label";
    private const string Capability = "ANNOTATE-EXPERIMENT-1";

    private static readonly string[] _entries = [Comment, Label];

    public static bool IsOffered(ImapSession session) => session.Can(Capability);

    /// <summary>One to four, none of them twice.</summary>
    public static IReadOnlyList<(string Entry, bool Shared, string? Value)> AnyValues(Worker worker, double share)
    {
        var values = new List<(string, bool, string?)>();
        foreach (string entry in _entries)
        {
            foreach (bool shared in (bool[])[true, false])
            {
                if (worker.Chance(share) || (values.Count == 0 && entry == Label && !shared))
                    values.Add((entry, shared, worker.Chance(0.2) ? null : worker.Marks.NextValue()));
            }
        }
        return values;
    }

    public static IReadOnlyList<Annotation> Named(Worker worker, IReadOnlyList<(string Entry, bool Shared, string? Value)> values) =>
        [.. values.Select(v => new Annotation(v.Shared ? Annotation.Shared(v.Entry) : Annotation.Private(v.Entry, worker.Account.User), v.Value))];

    /// <summary>As STORE and APPEND have them.</summary>
    public static string Text(IReadOnlyList<(string Entry, bool Shared, string? Value)> values) => "ANNOTATION ("
        + string.Join(' ', values.GroupBy(static v => v.Entry).Select(static e => $"{e.Key} ({string.Join(' ', e.Select(static v => $"value.{(v.Shared ? "shared" : "priv")} {(v.Value is null ? "NIL" : $"\"{v.Value}\"")}"))})")) + ")";

    public static async Task StoreAsync(Worker worker)
    {
        if (!worker.TryPick(6, out UidSet? numbers, out UidSet? uids))
            return;
        MailboxView view = worker.View!;
        IReadOnlyList<(string, bool, string?)> values = AnyValues(worker, 0.4);
        bool byUid = worker.ByUid();
        string modifier = worker.Chance(0.2) && worker.Session.Can("CONDSTORE") && view.SyncedModSeq is { } since ? $"(UNCHANGEDSINCE {since}) " : "";
        await worker.Session.RunAsync(new Command(byUid ? "UID STORE" : "STORE", $"{(byUid ? uids : numbers)} {modifier}{Text(values)}")
        {
            Act = answer => new Annotate(view.Mailbox, uids, Named(worker, values), Flagging.Modified(answer, view, byUid)),
        });
    }

    public static async Task FetchAsync(Worker worker)
    {
        if (worker.TryPick(30, out UidSet? numbers, out UidSet? uids))
            await Fetching.FetchAsync(worker, numbers, uids, $"(UID {Item})");
    }
}
