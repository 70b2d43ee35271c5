using System.Diagnostics;
using MailCluster.Contracts;
using MailCluster.Storage.Mailboxes;

namespace MailCluster.Grains;

/// <summary>Reading: from memory where it is loaded, and from the rows what needs no memory.</summary>
public sealed partial class MailboxGrain
{
    public ValueTask<MailResult<MailboxSelected>> Select(bool readOnly) => SelectAs(readOnly, _key.Account);

    public async ValueTask<MailResult<MailboxSelected>> SelectAs(bool readOnly, AccountId viewer)
    {
        using Activity? span = MailTraces.Owner(nameof(Select));
        bool claims = _claiming is null;
        (MailboxOwnership? owned, MailError? error) = await OwnAsync();
        if (owned is null)
            return error!;
        if (viewer == _key.Account)
            return await SelectAsync(owned, readOnly, claims);
        (MailRights rights, MailError? unsure, bool foreign) = await StandingAsync(owned, viewer);
        if (unsure is not null || !rights.Has(MailRights.Read))
            return unsure ?? Refusal(rights);
        // What is \Recent is for the owner to see.
        MailResult<MailboxSelected> selected = await SelectAsync(owned, readOnly: true, claims: false);
        return selected.Value is { } told ? told with { Rights = rights, Foreign = foreign } : selected;
    }

    private async ValueTask<MailResult<MailboxSelected>> SelectAsync(MailboxOwnership owned, bool readOnly, bool claims)
    {
        if (owned.Loaded is { Snapshot: var snapshot })
        {
            MailboxStatus status = snapshot.ToStatus(_key.Mailbox);
            return Unsure() is { } unsure ? unsure : Selected(owned, status, snapshot.KeywordsInUse(), readOnly);
        }
        try
        {
            // What this very call has claimed was read after it began.
            if (claims)
                return local.MayRead ? Selected(owned, owned.Claim.Status, owned.Claim.Keywords, readOnly) : _unsure;
            if (await store.SelectAsync(_key) is not var (read, keywords))
                return EndNow(MailboxEnd.Deleted);
            // It may have been loaded meanwhile: what is told here, the version that the session asks for next must have.
            if (owned.Loaded is not null || owned.IsLoading)
                await owned.Log.ReachAsync(read.HighestModSeq);
            return local.MayRead ? Selected(owned, read, keywords, readOnly) : _unsure;
        }
        catch (ClaimLostException)
        {
            return Lost;
        }
        catch (StoreUnavailableException)
        {
            return Away;
        }
    }

    private static MailboxSelected Selected(MailboxOwnership owned, MailboxStatus status, IReadOnlyList<string> keywords, bool readOnly) =>
        new(owned.Epoch, status, readOnly ? Math.Max(owned.FirstRecent, status.UidNext) : owned.ClaimRecent(status.UidNext - 1), keywords);

    public ValueTask<MailResult<MailboxStatus?>> Status() => StatusAs(_key.Account);

    public async ValueTask<MailResult<MailboxStatus?>> StatusAs(AccountId viewer)
    {
        // Whoever claims or loads it from now on reads the rows later than the caller did.
        if (_end is not null || _owned is not { IsLost: false } owned || (owned.Loaded is null && !owned.IsLoading))
            return (MailboxStatus?)null;
        (MailboxVersion? version, MailError? error) = await LoadAsync();
        if (version is null)
            return error!;
        MailboxSnapshot snapshot = viewer == _key.Account ? version.Snapshot : version.Snapshot.For(viewer);
        MailboxStatus status = snapshot.ToStatus(_key.Mailbox, viewer == _key.Account ? owned.Recent(snapshot.UidNext, snapshot.Count) : 0);
        return Unsure() is { } unsure ? unsure : status;
    }

    public async ValueTask<MailResult<SyncReply>> Sync(long epoch, long modSeq, IMailboxObserver? observer)
    {
        using Activity? span = MailTraces.Owner(nameof(Sync));
        (MailboxVersion? version, MailError? error) = await LoadAsync();
        if (version is null)
            return error!;
        if (observer is not null)
            _observers.Renew(observer);
        SyncReply reply = version.Since(epoch, modSeq) with { Silo = observer is null ? null : silo.SiloAddress.ToParsableString() };
        return Unsure() is { } unsure ? unsure : reply;
    }

    public async ValueTask<MailResult<SnapshotPage>> GetChunks(long epoch, long modSeq, int from, int count)
    {
        (MailboxVersion? version, MailError? error) = await LoadAsync();
        if (version is null)
            return error!;
        if (version.Pinned(epoch, modSeq) is not { } snapshot)
            return Lost;
        if (Unsure() is { } unsure)
            return unsure;
        from = Math.Clamp(from, 0, snapshot.Chunks.Count);
        return new SnapshotPage(snapshot.Keywords, [.. snapshot.Chunks.Skip(from).Take(Math.Clamp(count, 0, 256))]);
    }

    public async ValueTask<MailResult<uint>> ClaimRecent(uint upTo)
    {
        (MailboxOwnership? owned, MailError? error) = await OwnAsync();
        if (owned is null)
            return error!;
        return local.MayRead ? owned.ClaimRecent(upTo) : _unsure;
    }

    public async ValueTask<MailResult<UidSet>> Vanished(long since)
    {
        try
        {
            return await store.VanishedAsync(_key, since) is { } vanished ? vanished : EndNow(MailboxEnd.Deleted);
        }
        catch (StoreUnavailableException)
        {
            return Away;
        }
    }

    public async ValueTask<MailResult<IReadOnlyList<ImportedUidl>>> ImportedUidls(uint from, int count)
    {
        try
        {
            return new(await store.ImportedUidlsAsync(_key, from, Math.Clamp(count, 0, MailboxLimits.UidlPage)), null);
        }
        catch (StoreUnavailableException)
        {
            return Away;
        }
    }
}
