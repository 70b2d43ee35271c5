using MailCluster.Contracts;
using MailCluster.Storage.Lanes;

namespace MailCluster.Grains;

/// <summary>
/// What accounts may do here that are not the mailbox's (RFC 4314). The list of rights is a part of the version, changed by commits alone and published as messages are:
/// whatever starts after the OK of a SETACL goes by the new list, at every owner. An account of another tenant is looked up by each of its commands: the tenants may share no longer.
/// </summary>
public sealed partial class MailboxGrain
{
    private static readonly MailError _notPermitted = new(MailErrorCode.NoPermission, "You may not do this here.");
    private static readonly MailError _unknown = new(MailErrorCode.NonExistent, "There is no mailbox of that name.");

    private readonly HashSet<AccountId> _neighbours = [];
    private MailboxAcl? _acl;

    public ValueTask<MailResult<MailboxAcl>> SetRights(SetRightsRequest request) => Once<MailboxAcl>(request.Operation, async () =>
    {
        (MailboxVersion? version, MailError? error) = await LoadAsync();
        if (version is null || _owned is not { } owned)
            return error ?? Lost;
        (MailRights rights, MailError? unsure) = await RightsAsync(owned, request.Actor.Account);
        if (unsure is not null)
            return unsure;
        if (!rights.Has(MailRights.Administer))
            return Refusal(rights);
        if (request.Mode != StoreMode.Remove && !version.Snapshot.Sharing.Acl.HasRoomFor(request.Grantee, request.Negative))
            return new MailError(MailErrorCode.Limit, $"A list of rights has at most {MailboxAcl.MaxEntries} lines.");
        MailResult<CommitOutcome> result = await CommitAsync(owned, new CommitOperation
        {
            Kind = CommitKind.SetRights, Mailbox = _key, Epoch = owned.Epoch, Tenant = owned.Tenant, Id = request.Operation, Actor = request.Actor,
            Mode = request.Mode, Grantee = request.Grantee, Negative = request.Negative, Rights = request.Rights, FirstRecent = owned.FirstRecent,
        });
        if (result.Error is { } refused)
            return refused;
        CommitOutcome outcome = result.Value!;
        if (outcome.Status == CommitStatus.Done)
        {
            // Those before it may wait for their publication still: the list is what they leave.
            if (outcome.ModSeq > 1)
                await owned.Log.ReachAsync(outcome.ModSeq - 1);
            if (await GranteeAsync(owned, request.Grantee) is not { } standing)
            {
                // What the line counts for is not known, and the next owner reads it.
                Lose();
                return Away;
            }
            MailboxAcl after = version.Snapshot.Sharing.Acl.With(request.Grantee, request.Negative, request.Mode, request.Rights, standing);
            await owned.Log.ApplyAsync(new MailboxDelta(owned.Epoch, outcome.ModSeq - 1, outcome.ModSeq, [new RightsChanged(outcome.ModSeq, after)]));
        }
        return version.Snapshot.Sharing.Acl;
    });

    /// <summary>What a line counts for that names an account; null: PostgreSQL can't be reached. Asked after the line's commit: a consent that ends later finds the line, and tells this owner.</summary>
    private async ValueTask<AclStanding?> GranteeAsync(MailboxOwnership owned, AccountId grantee)
    {
        try
        {
            return grantee == MailboxAcl.Anyone ? AclStanding.Own : await store.StandingAsync(grantee, owned.Tenant);
        }
        catch (StoreUnavailableException)
        {
            return null;
        }
    }

    /// <summary>What an account may do here now. The mailbox's own may do all; one of a tenant that does not share with this one's nothing, whatever the list says.</summary>
    private async ValueTask<(MailRights Rights, MailError? Error)> RightsAsync(MailboxOwnership owned, AccountId? account)
    {
        (MailRights rights, MailError? error, _) = await StandingAsync(owned, account);
        return (rights, error);
    }

    /// <summary>As <see cref="RightsAsync"/>, and whether the account is another tenant's.</summary>
    private async ValueTask<(MailRights Rights, MailError? Error, bool Foreign)> StandingAsync(MailboxOwnership owned, AccountId? account)
    {
        if (account is not { } viewer || viewer == _key.Account)
            return (MailRights.All, null, false);
        try
        {
            AclStanding standing = viewer == MailboxAcl.Anyone || _neighbours.Contains(viewer) ? AclStanding.Own : await store.StandingAsync(viewer, owned.Tenant);
            bool foreign = standing != AclStanding.Own;
            if (!foreign)
                _neighbours.Add(viewer);
            // A list changes only where the mailbox is loaded, and one that is loaded stays so.
            if (owned.Loaded is null && _acl is null)
                _acl = await store.AclAsync(_key);
            MailboxAcl acl = owned.Loaded?.Snapshot.Sharing.Acl ?? _acl!;
            if (foreign && acl.Entries.Any(e => e.Grantee == viewer && e.Standing != standing))
            {
                // The notice of what the tenants say now has not come yet: sessions would go by a list of before.
                Lose();
                return (MailRights.None, Lost, foreign);
            }
            return (acl.RightsOf(viewer, foreign), null, foreign);
        }
        catch (StoreUnavailableException)
        {
            return (MailRights.None, Away, false);
        }
    }

    /// <summary>As <see cref="RightsAsync"/>, and why not where one of <paramref name="needed"/> is missing.</summary>
    private async ValueTask<(MailRights Rights, MailError? Refused)> MayAsync(MailboxOwnership owned, Actor actor, MailRights needed)
    {
        (MailRights rights, MailError? error) = await RightsAsync(owned, actor.Account);
        return (rights, error ?? (rights.Has(needed) ? null : Refusal(rights)));
    }

    /// <summary>Why messages may not be taken from a mailbox; null when they may. Its rows tell, for it has an owner of its own.</summary>
    private async ValueTask<MailError?> MayTakeAsync(MailboxKey source, Actor actor, bool move)
    {
        AccountId account = actor.Account ?? _key.Account;
        if (source.Account == account)
            return null;
        try
        {
            MailRights rights = await store.RightsAsync(source, account);
            return rights.Has(move ? MailRights.Read | MailRights.DeleteMessages | MailRights.Expunge : MailRights.Read) ? null : Refusal(rights);
        }
        catch (StoreUnavailableException)
        {
            return Away;
        }
    }

    /// <summary>Who may not even know of a mailbox is told that there is none.</summary>
    private static MailError Refusal(MailRights rights) => (rights & MailRights.Visible) == 0 ? _unknown : _notPermitted;

    /// <summary>The account whose own \Seen a change is about; null: the owner's.</summary>
    private static AccountId? ViewerOf(MailboxKey mailbox, Actor actor, AccountId own) =>
        (actor.Account ?? own) is var account && account != mailbox.Account ? account : null;
}
