using System.Diagnostics;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using MailCluster.Contracts;
using MailCluster.Storage.Accounts;
using MailCluster.Storage.Directories;
using MailCluster.Storage.Ids;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Placement;

namespace MailCluster.Grains;

/// <summary>
/// The owner of one account. It remembers who may log in and who is logged in; the tree of mailboxes is read from the rows by every call,
/// so that a second activation, should there ever be one, can do no harm.
/// </summary>
[Reentrant, PreferLocalPlacement, GrainType("account")]
public sealed partial class AccountGrain(
    AccountTreeStore tree, DirectoryStore directory, LoginStore store, LdapDirectory ldap, QuotaStore quotas, MetadataStore metadata, IdBlocks ids, ILocalMailboxes local, LocalAccounts accounts,
    ISiloStatusOracle silos, IGrainFactory grains, IOptions<AccountOptions> options, TimeProvider time) : Grain, IAccountGrain, IAccountEvents
{
    private static readonly MailError _away = new(MailErrorCode.Unavailable, "The mail store cannot be reached now.");
    private static readonly MailError _nonExistent = new(MailErrorCode.NonExistent, "No such mailbox.");

    private readonly AccountMemory _memory = new(options.Value, time);
    private readonly LoginAttempts<AccountSession> _logins = new(time);
    private readonly StatusDemand _demand = new(time);

    private AccountId Id => new(this.GetPrimaryKeyLong());

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        accounts.Add(Id, _memory);
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        accounts.Remove(Id, _memory);
        Watchers.End();
        return Task.CompletedTask;
    }

    public ValueTask EndSession(string sessionId)
    {
        _memory.Sessions.Remove(sessionId);
        return ValueTask.CompletedTask;
    }

    public ValueTask RenewSessions(IReadOnlyList<LoginRequest> sessions)
    {
        foreach (LoginRequest session in sessions)
            _memory.Sessions.Renew(session);
        return ValueTask.CompletedTask;
    }

    public ValueTask<IReadOnlyList<SessionInfo>> Sessions() => ValueTask.FromResult(_memory.Sessions.List());

    public ValueTask<MailResult<AccountSettings>> Settings() => Guard<AccountSettings>(async () =>
        await AccountAsync(fresh: false) is { } account ? account.Settings : new MailError(MailErrorCode.NonExistent, "No such account."));

    public ValueTask<MailResult<MailboxTree>> List(bool withStatus) => ListWith(new ListRequest(withStatus));

    public ValueTask<MailResult<MailboxTree>> ListWith(ListRequest request) => Guard<MailboxTree>(async () =>
    {
        bool withStatus = request.Status;
        (List<StoredMailbox> rows, List<MailboxPath> subscriptions) = await tree.ListRowsAsync(Id, withStatus, request.DeletedBytes);
        var mailboxes = new MailboxInfo[rows.Count];
        var asked = new List<(int Index, Task<MailResult<MailboxStatus>> Status)>();
        for (int i = 0; i < mailboxes.Length; i++)
        {
            mailboxes[i] = rows[i].Info;
            if (withStatus && MayBeInMemory(rows[i]))
                asked.Add((i, StatusAsync(rows[i], Id, Id)));
        }
        foreach ((int index, Task<MailResult<MailboxStatus>> asking) in asked)
        {
            MailResult<MailboxStatus> status = await asking;
            if (status.Error is { } error)
                return error;
            mailboxes[index] = mailboxes[index] with { Status = status.Value };
        }
        return new MailboxTree(mailboxes, subscriptions);
    });

    public ValueTask<MailResult<MailboxInfo>> Find(MailboxPath path) => Guard<MailboxInfo>(async () =>
        local.TryFind(Id, path, out MailboxKey mailbox, out _) ? new MailboxInfo(mailbox.Mailbox, path, true, [], null)
        : await tree.FindAsync(Id, path) is { } found ? found : _nonExistent);

    public ValueTask<MailResult<MailboxStatus>> Status(MailboxPath path) => StatusOf(new StatusRequest(path));

    public ValueTask<MailResult<MailboxStatus>> StatusOf(StatusRequest request) => Guard<MailboxStatus>(async () =>
    {
        AccountId viewer = request.Viewer ?? Id;
        if (await tree.FindRowAsync(Id, request.Path, request.DeletedBytes, viewer == Id ? null : viewer) is not { } found || (found.Info.Rights & MailRights.Visible) == 0)
            return _nonExistent;
        if (!found.Info.Rights.Has(MailRights.Read))
            return _notPermitted;
        MailResult<MailboxStatus> status = await StatusAsync(found, viewer, Id);
        if (status.Value is { } counted && _demand.IsHigh(counted))
            Owner(found.Info.Id).Sync(0, 0, null).AsTask().Ignore();
        return status;
    });

    /// <summary>
    /// A row has a commit a moment before its owner publishes it. So that nobody who asks the owner next hears of an older version, the owner answers
    /// where one may have the mailbox in memory. One of a silo that is dead has no say: its memory is read by nobody.
    /// </summary>
    private async Task<MailResult<MailboxStatus>> StatusAsync(StoredMailbox row, AccountId viewer, AccountId account)
    {
        if (!MayBeInMemory(row))
            return row.Info.Status!;
        IMailboxGrain owner = GrainFactory.GetGrain<IMailboxGrain>(new MailboxKey(account, row.Info.Id).ToString());
        MailResult<MailboxStatus?> answer = viewer == account ? await owner.Status() : await owner.StatusAs(viewer);
        if (answer.Error is { } error)
            return error;
        // An owner of the release before does not count what is \Deleted.
        return answer.Value is { } counted ? counted with { DeletedBytes = counted.DeletedBytes ?? row.Info.Status!.DeletedBytes } : row.Info.Status!;
    }

    private bool MayBeInMemory(StoredMailbox row) => row.Owner is { } owner && !silos.IsDeadSilo(SiloAddress.FromParsableString(owner));

    public ValueTask<MailResult<MailboxInfo>> Create(OperationId operation, MailboxPath path, IReadOnlyList<string> specialUse) => CreateAsync(operation, path, specialUse, null);

    /// <param name="viewer">Another account that asks; null: none.</param>
    private ValueTask<MailResult<MailboxInfo>> CreateAsync(OperationId operation, MailboxPath path, IReadOnlyList<string> specialUse, AccountId? viewer) => ChangingTreeAsync(Guard<MailboxInfo>(async () =>
    {
        // Names come from filters, too, and so from whoever writes to a user.
        if (path.WhyNotNew() is { } unfit)
            return unfit;
        long[] fresh = await ids.NextAsync(path.Segments.Count);
        int most = await quotas.MaxMailboxesAsync(Id) ?? options.Value.MaxMailboxes;
        (CreateOutcome outcome, MailboxId id) = await tree.CreateAsync(Id, operation, path, specialUse, fresh, most, viewer);
        return outcome switch
        {
            // By the name that is stored, which is composed.
            CreateOutcome.Done => new MailboxInfo(id, path.Segments.All(static s => Ascii.IsValid(s)) ? path : (await tree.FindAsync(Id, path))?.Path ?? path, true, specialUse, null),
            CreateOutcome.Exists => new MailError(MailErrorCode.AlreadyExists, "A mailbox of this name exists."),
            CreateOutcome.TooMany => new MailError(MailErrorCode.Limit, $"This account holds at most {most} mailboxes."),
            CreateOutcome.NotPermitted => _notPermitted,
            CreateOutcome.SpecialUseTaken => new MailError(MailErrorCode.UseAttribute, "Another mailbox has this special use."),
            _ => new MailError(MailErrorCode.NonExistent, "No such account."),
        };
    }));

    public ValueTask<MailResult<Done>> Delete(OperationId operation, MailboxPath path) => DeleteAsync(operation, path, null);

    private ValueTask<MailResult<Done>> DeleteAsync(OperationId operation, MailboxPath path, AccountId? viewer) => ChangingTreeAsync(Guard<Done>(async () =>
    {
        if (path.IsInbox)
            return new MailError(MailErrorCode.Cannot, "INBOX cannot be deleted.");
        (DeleteOutcome outcome, MailboxId? id) = await tree.DeleteAsync(Id, operation, path, UnnameAsync, viewer);
        if (outcome == DeleteOutcome.Done && id is { } deleted)
            await EndAsync(deleted, MailboxEnd.Deleted);
        return outcome switch
        {
            DeleteOutcome.Done => Done.Value,
            DeleteOutcome.NonExistent => _nonExistent,
            DeleteOutcome.NotPermitted => _notPermitted,
            _ => new MailError(MailErrorCode.InUse, "This name has mailboxes below it."),
        };
    }));

    public ValueTask<MailResult<Done>> Rename(OperationId operation, MailboxPath from, MailboxPath to) => RenameAsync(operation, from, to, null);

    private ValueTask<MailResult<Done>> RenameAsync(OperationId operation, MailboxPath from, MailboxPath to, AccountId? viewer) => ChangingTreeAsync(Guard<Done>(async () =>
    {
        long[] fresh = await ids.NextAsync(to.Segments.Count);
        (RenameOutcome outcome, IReadOnlyList<MailboxId> ended) = await tree.RenameAsync(Id, operation, from, to, fresh, UnnameAsync, viewer);
        foreach (MailboxId id in ended)
            await EndAsync(id, MailboxEnd.UidValidityChanged);
        return outcome switch
        {
            RenameOutcome.Done => Done.Value,
            RenameOutcome.NonExistent => _nonExistent,
            RenameOutcome.NotPermitted => _notPermitted,
            RenameOutcome.Exists => new MailError(MailErrorCode.AlreadyExists, "A mailbox of the new name exists."),
            _ => new MailError(MailErrorCode.Cannot, "A mailbox cannot be moved below itself."),
        };
    }));

    public ValueTask<MailResult<Done>> Subscribe(MailboxPath path, bool subscribed) => ChangingTreeAsync(Guard<Done>(async () =>
    {
        return await tree.SubscribeAsync(Id, path, subscribed, options.Value.MaxSubscriptions) ? Done.Value : TooManySubscriptions();
    }));

    public ValueTask<MailResult<bool>> MayLogIn() => Guard<bool>(async () => await AccountAsync(fresh: true) is { Login: true });

    public ValueTask Changed()
    {
        _memory.Forget();
        return ValueTask.CompletedTask;
    }

    /// <summary>The directory's row, at most some seconds old, or read now.</summary>
    private async ValueTask<DirectoryAccount?> AccountAsync(bool fresh)
    {
        // That there is none is remembered as well: who does not exist takes as long as who does.
        if (!fresh && _memory.TryGetAccount(out DirectoryAccount? known))
            return known;
        int changes = _memory.Changes;
        DirectoryAccount? read = await directory.GetAccountAsync(Id);
        _memory.Keep(read, changes);
        return read;
    }

    private IMailboxGrain Owner(MailboxId mailbox) => GrainFactory.GetGrain<IMailboxGrain>(new MailboxKey(Id, mailbox).ToString());

    /// <summary>
    /// Makes owners stop saying what their mailboxes are called. When one can't be told the change is not made: names that are found in memory would be wrong.
    /// What a dead silo has in memory is read by nobody.
    /// </summary>
    private async Task UnnameAsync(IReadOnlyList<NamedClaim> claims)
    {
        try
        {
            await Task.WhenAll(claims.Where(c => !silos.IsDeadSilo(SiloAddress.FromParsableString(c.Owner))).Select(c => Owner(c.Mailbox).Unname().AsTask()));
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            throw new StoreUnavailableException("The owner of a mailbox could not be told of its new name.", e);
        }
    }

    /// <summary>Tells a mailbox's owner that its sessions must end. The rows already refuse its commits, so a failure only delays the news.</summary>
    private async Task EndAsync(MailboxId mailbox, MailboxEnd reason)
    {
        try
        {
            await Owner(mailbox).End(reason);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            // Its node is gone: the next owner finds the mailbox gone.
        }
    }

    private static async ValueTask<MailResult<T>> Guard<T>(Func<Task<MailResult<T>>> work, [CallerMemberName] string method = "")
    {
        using Activity? span = MailTraces.Owner(method);
        try
        {
            return await work();
        }
        catch (StoreUnavailableException)
        {
            return _away;
        }
    }
}
