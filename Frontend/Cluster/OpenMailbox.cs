using MailCluster.Contracts;

namespace MailCluster.Cluster;

/// <summary>
/// One session's hold on a mailbox's copy; the copy is shared by the sessions of the process that have it open, and let go with the last of them.
/// </summary>
public sealed class OpenMailbox : IDisposable
{
    private readonly MailboxReplica _replica;
    private readonly long _epoch;
    private readonly uint _uidValidity;
    private int _disposed;

    internal OpenMailbox(MailboxReplica replica, long epoch, uint uidValidity) => (_replica, _epoch, _uidValidity) = (replica, epoch, uidValidity);

    public MailboxKey Key => _replica.Key;

    /// <summary>The newest version that this process knows; null before the first sync. Not necessarily up to date: see <see cref="SyncAsync"/>.</summary>
    public MailboxSnapshot? Current => _replica.Current;

    /// <summary>Not null: the mailbox went away (deleted, or its UIDVALIDITY changed). Final for this object: say BYE. Never <see cref="MailboxEnd.OwnerChanged"/>.</summary>
    public MailboxEnd? End => _replica.End ?? (IsReplaced(Current) ? MailboxEnd.UidValidityChanged : null);

    /// <summary>
    /// The mailbox with everything that was committed before this call began, on whatever node: every command that reads mailbox state starts with it.
    /// Costs a memory read where the owner is in this process, one call otherwise, which concurrent sessions share.
    /// Failures: <see cref="MailErrorCode.MailboxGone"/> (see <see cref="End"/>), <see cref="MailErrorCode.Unavailable"/>.
    /// </summary>
    public ValueTask<MailResult<MailboxSnapshot>> SyncAsync(CommandWait wait)
    {
        ValueTask<MailResult<MailboxSnapshot>> sync = _replica.SyncAsync(wait);
        return sync.IsCompletedSuccessfully ? new(Checked(sync.Result)) : CheckedAsync(sync);
    }

    /// <summary>
    /// Waits until <see cref="Current"/> is a newer version than <paramref name="seen"/>, or <see cref="End"/> is set; at once when it is so already.
    /// Driven by the owner's pushes (IDLE). False when <paramref name="cancellationToken"/> ended the wait; never throws for that.
    /// </summary>
    public ValueTask<bool> WaitForChangeAsync(MailboxSnapshot? seen, CancellationToken cancellationToken) => _replica.WaitForChangeAsync(seen, cancellationToken);

    /// <summary>The news of a new UIDVALIDITY may have been lost; the versions of the claims that follow it tell.</summary>
    private bool IsReplaced(MailboxSnapshot? version) =>
        _uidValidity != 0 && version is { UidValidity: not 0 } && version.UidValidity != _uidValidity && version.Epoch >= _epoch;

    private MailResult<MailboxSnapshot> Checked(MailResult<MailboxSnapshot> result) => IsReplaced(result.Value) ? MailboxReplica.Replaced : result;

    private async ValueTask<MailResult<MailboxSnapshot>> CheckedAsync(ValueTask<MailResult<MailboxSnapshot>> sync) => Checked(await sync.ConfigureAwait(false));

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            _replica.Release();
    }
}
