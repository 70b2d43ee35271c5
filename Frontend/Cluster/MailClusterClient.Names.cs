using System.Collections.Concurrent;
using MailCluster.Contracts;

namespace MailCluster.Cluster;

public sealed partial class MailClusterClient
{
    /// <summary>Some megabytes; when there are more, all are forgotten.</summary>
    private const int MaxRecalled = 20_000;

    private readonly ConcurrentDictionary<(AccountId, MailboxPath), MailboxInfo> _recalled = new();

    /// <summary>The mailbox of a name as it is now; <see cref="MailErrorCode.NonExistent"/>.</summary>
    public async ValueTask<MailResult<MailboxInfo>> FindAsync(AccountId account, MailboxPath path, CommandWait wait)
    {
        IAccountGrain owner = Account(account);
        MailResult<MailboxInfo> found = await CallAsync(() => owner.Find(path), wait).ConfigureAwait(false);
        if (found.Value is { Selectable: true } mailbox)
        {
            if (_recalled.Count >= MaxRecalled)
                _recalled.Clear();
            // What counts can change at any time, and is not asked for here.
            _recalled[(account, path)] = mailbox with { Status = null };
        }
        else
            _recalled.TryRemove((account, path), out _);
        return found;
    }

    /// <summary>
    /// The mailbox that had this name when it was looked for last, or now where that is not known. It may have another name since, or be gone: for a change that names
    /// the path itself (<see cref="AppendRequest.Path"/>), is refused then (<see cref="MailErrorCode.Renamed"/>, <see cref="MailErrorCode.MailboxGone"/>) and made again after
    /// <see cref="FindAsync"/>. Saves a query for each message that comes in.
    /// </summary>
    public ValueTask<MailResult<MailboxInfo>> RecallAsync(AccountId account, MailboxPath path, CommandWait wait) =>
        _recalled.TryGetValue((account, path), out MailboxInfo? known) ? new(known) : FindAsync(account, path, wait);
}
