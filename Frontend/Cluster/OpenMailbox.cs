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
    private readonly AccountId? _viewer;
    private readonly bool _foreign;
    private (MailboxSnapshot Of, MailboxSnapshot View)? _seen;
    private int _disposed;

    internal OpenMailbox(MailboxReplica replica, long epoch, uint uidValidity, AccountId? viewer, bool foreign) =>
        (_replica, _epoch, _uidValidity, _viewer, _foreign) = (replica, epoch, uidValidity, viewer, foreign);

    public MailboxKey Key => _replica.Key;

    /// <summary>The newest version that this process knows; null before the first sync. Not necessarily up to date: see <see cref="SyncAsync"/>.</summary>
    public MailboxSnapshot? Current => Seen(_replica.Current);

    /// <summary>What the account that has it open may do here, by the newest version that this process knows; null before the first sync.</summary>
    public MailRights? Rights => _viewer is not { } viewer ? MailRights.All : _replica.Current?.Sharing.Acl.RightsOf(viewer, _foreign);

    /// <summary>A version as the account sees it that has the mailbox open. Used by one session, one command at a time.</summary>
    private MailboxSnapshot? Seen(MailboxSnapshot? version)
    {
        if (_viewer is not { } viewer || version is null)
            return version;
        if (_seen is not { } known || !ReferenceEquals(known.Of, version))
            _seen = known = (version, version.For(viewer));
        return known.View;
    }

    /// <summary>Not null: the mailbox went away (deleted, or its UIDVALIDITY changed). Final for this object: say BYE. Never <see cref="MailboxEnd.OwnerChanged"/>.</summary>
    public MailboxEnd? End => _replica.End ?? (IsReplaced(_replica.Current) ? MailboxEnd.UidValidityChanged : null);

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

    private MailResult<MailboxSnapshot> Checked(MailResult<MailboxSnapshot> result) =>
        IsReplaced(result.Value) ? MailboxReplica.Replaced : result.Value is { } version && _viewer is not null ? Seen(version)! : result;

    private async ValueTask<MailResult<MailboxSnapshot>> CheckedAsync(ValueTask<MailResult<MailboxSnapshot>> sync) => Checked(await sync.ConfigureAwait(false));

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 0)
            _replica.Release();
    }
}
