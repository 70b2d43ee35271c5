using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>
/// Finds mailboxes whose counters are asked for so often that an owner with them in memory costs less than a look at the row each time.
/// </summary>
internal sealed class StatusDemand(TimeProvider time)
{
    private const int Often = 3;
    private const long MostMessages = 5_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Dictionary<MailboxId, int> _asked = [];
    private long _since;

    /// <summary>Notes that a row was read; true when the mailbox should have an owner from now on: once a minute, and only for one that is loaded in a moment.</summary>
    public bool IsHigh(MailboxStatus row)
    {
        if (row.Messages > MostMessages)
            return false;
        if (time.GetElapsedTime(_since) > Window)
        {
            _asked.Clear();
            _since = time.GetTimestamp();
        }
        _asked[row.Id] = _asked.GetValueOrDefault(row.Id) + 1;
        return _asked[row.Id] == Often;
    }
}
