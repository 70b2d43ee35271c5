using MailCluster.Contracts;
using MailCluster.Storage.Accounts;

namespace MailCluster.Grains;

/// <summary>
/// What other accounts of the tenant, and of tenants that it shares with, may do here (RFC 4314), and what this one may see of theirs. The tree and its rights are read from the rows by each call, and where the tree changes under
/// the same locks; a list of rights is changed by the mailbox's owner alone.
/// </summary>
public sealed partial class AccountGrain
{
    /// <summary>The first version of nodes that heed rights.</summary>
    private const int _sharingSince = 51;

    private static readonly MailError _notPermitted = new(MailErrorCode.NoPermission, "You may not do this here.");

    public ValueTask<MailResult<MailboxInfo>> FindAs(MailboxPath path, AccountId viewer) => Guard<MailboxInfo>(async () =>
    {
        (StoredMailbox? found, MailError? refused) = await MayAsync(path, viewer, MailRights.None);
        return found is null ? refused! : found.Info with { Status = null };
    });

    public async ValueTask<MailResult<MailboxInfo>> CreateAs(OperationId operation, MailboxPath path, IReadOnlyList<string> specialUse, AccountId viewer)
    {
        if (viewer != Id && specialUse.Count > 0)
            return new MailError(MailErrorCode.UseAttribute, "Mailboxes of others have no special use.");
        return await CreateAsync(operation, path, specialUse, viewer == Id ? null : viewer);
    }

    public ValueTask<MailResult<Done>> DeleteAs(OperationId operation, MailboxPath path, AccountId viewer) => DeleteAsync(operation, path, viewer == Id ? null : viewer);

    public async ValueTask<MailResult<Done>> RenameAs(OperationId operation, MailboxPath from, MailboxPath to, AccountId viewer)
    {
        if (viewer != Id && from.IsInbox)
            return _notPermitted;
        return await RenameAsync(operation, from, to, viewer == Id ? null : viewer);
    }

    public ValueTask<MailResult<Done>> SubscribeTo(AccountId owner, MailboxPath path, bool subscribed) => ChangingTreeAsync(Guard<Done>(async () =>
    {
        return await tree.SubscribeToAsync(Id, owner, path, subscribed, options.Value.MaxSubscriptions) ? Done.Value : TooManySubscriptions();
    }));

    public ValueTask<MailResult<SharedTree>> ListShared(ListRequest request) => Guard<SharedTree>(async () =>
    {
        (List<(SharedMailbox Mailbox, string? Silo)> rows, List<SharedSubscription> subscriptions) = await tree.ListSharedAsync(Id, request);
        SharedMailbox[] mailboxes = [.. rows.Select(static r => r.Mailbox)];
        if (request.Status)
        {
            Task<MailResult<MailboxStatus>>[] asking = [.. rows.Select(r => StatusAsync(new StoredMailbox(r.Mailbox.Info, r.Silo), Id, r.Mailbox.Owner))];
            for (int i = 0; i < mailboxes.Length; i++)
            {
                MailResult<MailboxStatus> status = await asking[i];
                if (status.Error is { } error)
                    return error;
                // Whoever sees a mailbox may not yet count it.
                MailboxInfo info = mailboxes[i].Info;
                mailboxes[i] = mailboxes[i] with { Info = info with { Status = info.Rights.Has(MailRights.Read) ? status.Value : null } };
            }
        }
        return new SharedTree(mailboxes, subscriptions);
    });

    public ValueTask<MailResult<MailboxRights>> Acl(MailboxPath path, AccountId viewer) => Guard<MailboxRights>(async () =>
    {
        (StoredMailbox? found, MailError? refused) = await MayAsync(path, viewer, MailRights.Administer);
        return found is null ? refused! : await tree.RightsAsync(new MailboxKey(Id, found.Info.Id), viewer);
    });

    public ValueTask<MailResult<Done>> SetAcl(SetAclRequest request) => Guard<Done>(async () =>
    {
        AccountId viewer = request.Actor.Account ?? Id;
        (StoredMailbox? found, MailError? refused) = await MayAsync(request.Path, viewer, MailRights.Administer);
        if (found is null)
            return refused!;
        if (await AccountAsync(fresh: false) is not { } account)
            return _noAccount;
        AccountId? grantee = request.Name == NamedRights.Anyone ? MailboxAcl.Anyone : await tree.FindAccountAsync(account.Settings.Tenant, viewer, request.Name);
        if (grantee is null)
            return new MailError(MailErrorCode.NonExistent, "There is no user of that name.");
        if (grantee == Id)
            return new MailError(MailErrorCode.Cannot, "The mailbox is this user's: it has all rights, always.");
        if (await tree.HasNodesBeforeAsync(_sharingSince))
            return new MailError(MailErrorCode.InUse, "A server of an older release is running, which would not heed rights.");
        MailResult<MailboxAcl> set = await Owner(found.Info.Id).SetRights(new SetRightsRequest(
            request.Operation, request.Actor with { Account = viewer }, grantee.Value, request.Negative, request.Mode, request.Rights));
        if (set.Error is { } error)
            return error;
        // A hint: who watches reads what he sees now and then in any case, and that is how all of a tenant hear of what "anyone" may.
        if (grantee != MailboxAcl.Anyone)
            GrainFactory.GetGrain<IAccountEvents>(grantee.Value.Value).SharingChanged().AsTask().Ignore();
        return Done.Value;
    });

    public ValueTask<MailResult<AccountQuota>> QuotaOf(MailboxPath path, AccountId viewer) => Guard<AccountQuota>(async () =>
    {
        // The roots are the same for all names; what is in use is for those to know who may read the mailbox.
        if (viewer != Id && await MayAsync(path, viewer, MailRights.Read) is (null, var refused))
            return refused!;
        return await quotas.ReadAsync(Id, Defaults) is { } quota ? quota : _noAccount;
    });

    private MailError TooManySubscriptions() => new(MailErrorCode.Limit, $"An account is subscribed to at most {options.Value.MaxSubscriptions} names.");

    /// <summary>The mailbox of a name, where an account may do all of <paramref name="needed"/> with it and may know of it.</summary>
    private async Task<(StoredMailbox? Found, MailError? Refused)> MayAsync(MailboxPath path, AccountId viewer, MailRights needed)
    {
        if (await tree.FindRowAsync(Id, path, viewer: viewer == Id ? null : viewer) is not { } found || (found.Info.Rights & MailRights.Visible) == 0)
            return (null, _nonExistent);
        return found.Info.Rights.Has(needed) ? (found, null) : (null, _notPermitted);
    }
}
