using MailCluster.Contracts;
using MailCluster.Storage.Mailboxes;

namespace MailCluster.Grains;

/// <summary>What an activation holds from its claim on: the epoch, the log of what it committed, and, once loaded, the messages.</summary>
internal sealed class MailboxOwnership(MailboxClaim claim, DeltaLog log)
{
    private Task<MailboxVersion?>? _loading;
    private bool _lost;
    private uint _firstRecentSaved = (uint)claim.FirstRecent;

    public MailboxClaim Claim => claim;

    public long Epoch => claim.Epoch;

    public TenantId Tenant => claim.Tenant;

    public uint UidValidity => claim.Status.UidValidity;

    public DeltaLog Log => log;

    public MailboxVersion? Loaded => log.Version;

    /// <summary>True once the claim is over; nothing is answered from memory any more.</summary>
    public bool IsLost => Volatile.Read(ref _lost);

    /// <summary>The claim is over: nothing is published any more once this returns.</summary>
    public void End()
    {
        Volatile.Write(ref _lost, true);
        log.Fail(new ClaimLostException());
    }

    /// <summary>The first UID that no session was told to be \Recent; saved with the next commit, so that SELECT writes nothing.</summary>
    public uint FirstRecent { get; private set; } = (uint)claim.FirstRecent;

    public bool FirstRecentIsDirty => FirstRecent != _firstRecentSaved;

    /// <summary>A load has begun: what it publishes may have been read before now.</summary>
    public bool IsLoading => _loading is not null;

    public void FirstRecentSaved(long? value) => _firstRecentSaved = (uint)(value ?? _firstRecentSaved);

    /// <summary>How many of <paramref name="messages"/> are still \Recent; those that were expunged since are not known here.</summary>
    public long Recent(uint uidNext, long messages) => Math.Clamp((long)uidNext - FirstRecent, 0, messages);

    /// <summary>See <see cref="IMailboxGrain.ClaimRecent"/>.</summary>
    public uint ClaimRecent(uint upTo)
    {
        uint first = Math.Min(FirstRecent, upTo + 1);
        FirstRecent = Math.Max(FirstRecent, upTo + 1);
        return first;
    }

    /// <summary>Loads once; callers that come meanwhile wait for the same. Null: the claim is over.</summary>
    public async Task<MailboxVersion?> LoadAsync(Func<Task<(MailboxSnapshot Snapshot, MailboxStatus Status)?>> load)
    {
        Task<MailboxVersion?> loading = _loading ??= LoadOnceAsync(load);
        try
        {
            return await loading;
        }
        finally
        {
            // Another may have begun since this one ended.
            if (_loading == loading)
                _loading = null;
        }
    }

    private async Task<MailboxVersion?> LoadOnceAsync(Func<Task<(MailboxSnapshot Snapshot, MailboxStatus Status)?>> load)
    {
        GrainMetrics.Loads.Add(1);
        using (log.Retain())
            return await load() is { } loaded ? log.Start(loaded.Snapshot) : null;
    }
}
