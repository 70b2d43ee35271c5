using MailCluster.Contracts;
using MailCluster.Storage.Mailboxes;
using Microsoft.Extensions.Logging;

namespace MailCluster.Grains;

/// <summary>
/// Compares the versions that owners of this process have published with the rows: a change that another owner committed here (MOVE) and died before it could
/// tell, or another claim that this process did not hear of. Goes round: <see cref="Slice"/> mailboxes twice a second by primary key, and all of them
/// after the death of a silo or an absence of PostgreSQL. No command waits for it, and none pays for it.
/// </summary>
public sealed partial class VersionWatch(MailboxStore store, ILocalMailboxes local, IGrainFactory grains, TimeProvider time, ILogger<VersionWatch> log)
{
    /// <summary>Mailboxes compared by one query.</summary>
    public const int Slice = 500;

    private static readonly TimeSpan _every = TimeSpan.FromMilliseconds(500);

    private readonly ILogger _log = log;
    private IEnumerator<KeyValuePair<MailboxKey, MailboxSnapshot>>? _round;
    private int _all;

    /// <summary>The next look is at all mailboxes.</summary>
    public void LookAtAll() => Volatile.Write(ref _all, 1);

    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(_every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                bool all = Interlocked.Exchange(ref _all, 0) == 1;
                try
                {
                    await LookAsync(all);
                }
                catch (StoreUnavailableException)
                {
                    if (all)
                        LookAtAll();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    /// <summary>Looks at the next slice, or at everything.</summary>
    public async Task LookAsync(bool all)
    {
        if (all)
            _round = null;
        do
        {
            _round ??= local.All.GetEnumerator();
            var slice = new List<KeyValuePair<MailboxKey, MailboxSnapshot>>();
            while (slice.Count < Slice && _round.MoveNext())
                slice.Add(_round.Current);
            if (slice.Count < Slice)
                _round = null;
            if (slice.Count > 0)
                await CompareAsync(slice);
        }
        while (all && _round is not null);
    }

    private async Task CompareAsync(List<KeyValuePair<MailboxKey, MailboxSnapshot>> slice)
    {
        foreach ((int index, long? epoch, long modSeq) in await store.AheadAsync(slice))
        {
            (MailboxKey mailbox, MailboxSnapshot version) = slice[index];
            if (epoch == version.Epoch)
            {
                // Mostly a commit of which its own owner hears at this very moment.
                grains.GetGrain<IMailboxGrain>(mailbox.ToString()).Committed(version.Epoch, modSeq).AsTask().Ignore();
                continue;
            }
            // Its owner here does not know: nothing of it is read any more, and those who wait ask whoever it is now.
            LogTaken(mailbox, version.Epoch);
            local.Withdraw(mailbox, version.Epoch);
            local.End(mailbox, MailboxEnd.OwnerChanged);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Mailbox {Mailbox} was claimed elsewhere after epoch {Epoch}")]
    private partial void LogTaken(MailboxKey mailbox, long epoch);
}
