namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>Something that a client does, one command or a few.</summary>
/// <param name="Weight">How often, in relation to the others that can be done.</param>
/// <param name="CanDo">Whether the session's state and the server's capabilities allow it.</param>
internal sealed record Deed(int Weight, Func<Worker, bool> CanDo, Func<Worker, Task> Do);

/// <summary>What clients do, and how often.</summary>
internal static class Mix
{
    private static readonly Deed[] Deeds =
    [
        new(90, Always, Appending.OneAsync),
        new(10, static w => w.Session.Can("MULTIAPPEND"), Appending.SeveralAsync),
        new(25, static w => w.FrontEnd.Lmtp is not null, Delivering.DeliverAsync),
        new(25, static w => CanChange(w) && w.Session.Can("REPLACE"), Appending.ReplaceAsync),
        new(15, static w => w.FrontEnd.Pop3 is not null, ByPop3.VisitAsync),

        new(180, CanChange, Flagging.StoreAsync),
        new(50, static w => CanChange(w) && HasModSeqs(w), Flagging.StoreUnchangedSinceAsync),

        new(50, static w => CanChange(w) && Annotating.IsOffered(w.Session), Annotating.StoreAsync),
        new(50, static w => CanRead(w) && Annotating.IsOffered(w.Session), Annotating.FetchAsync),

        new(40, CanRead, Transferring.CopyAsync),
        new(40, static w => CanChange(w) && w.Session.Can("MOVE"), Transferring.MoveAsync),

        new(12, CanChange, Expunging.AllDeletedAsync),
        new(30, static w => CanChange(w) && w.Session.Can("UIDPLUS"), Expunging.SomeAsync),
        // The larger the mailbox, the oftener.
        new(400, static w => CanChange(w) && w.View!.Exists > w.Options.Crowd, Expunging.ThinOutAsync),

        new(40, Always, Selecting.SelectAsync),
        new(2000, static w => w.View is null, Selecting.SelectAsync),
        new(40, static w => w.Session.Model.HasQResync && w.Memories.Count > 0, Selecting.ResyncAsync),
        new(8, IsSelected, Selecting.CloseAsync),
        new(8, static w => IsSelected(w) && w.Session.Can("UNSELECT"), Selecting.UnselectAsync),

        new(80, CanRead, Fetching.SomeAsync),
        new(15, CanRead, Fetching.AllAsync),
        new(20, CanRead, Fetching.WholeAsync),
        new(20, static w => CanRead(w) && w.Session.Model.HasQResync, Fetching.ChangedSinceAsync),

        new(50, IsSelected, Searching.AllAsync),
        new(50, IsSelected, Searching.FlagAsync),
        new(20, static w => IsSelected(w) && w.Session.Model.UsesNumbers, Searching.NumbersAsync),
        new(10, static w => IsSelected(w) && HasModSeqs(w), Searching.ModSeqAsync),

        new(60, Always, Watching.NoopAsync),
        new(6, IsSelected, Watching.CheckAsync),
        new(50, Always, Watching.StatusAsync),
        new(10, Always, Watching.ListAsync),
        new(10, static w => w.Session.Can("QUOTA"), Watching.QuotaAsync),
        new(8, static w => w.Session.Can("IDLE"), Watching.IdleAsync),

        new(6, Always, Naming.ChangeAsync),
        new(15, CanRead, Pipelining.SomeAsync),
        new(2, Always, Watching.LeaveAsync),
    ];

    public static Deed Choose(Worker worker)
    {
        Deed[] possible = [.. Deeds.Where(d => d.CanDo(worker))];
        int at = worker.Random.Next(possible.Sum(static d => d.Weight));
        foreach (Deed deed in possible)
        {
            at -= deed.Weight;
            if (at < 0)
                return deed;
        }
        return possible[^1];
    }

    private static bool Always(Worker worker) => true;

    private static bool IsSelected(Worker worker) => worker.View is not null;

    private static bool CanRead(Worker worker) => worker.View is { Exists: > 0 };

    private static bool CanChange(Worker worker) => worker.View is { Exists: > 0, ReadOnly: false };

    private static bool HasModSeqs(Worker worker) => worker.Session.Can("CONDSTORE") && worker.View is { SyncedModSeq: not null };
}
