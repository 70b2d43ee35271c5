using MailCluster.Contracts;
using MailCluster.Storage.Accounts;

namespace MailCluster.Grains;

/// <summary>What happens in the account is passed on to those who watch it.</summary>
public sealed partial class AccountGrain
{
    private AccountWatchers Watchers => field ??= new AccountWatchers(Id, time);

    public ValueTask<MailResult<AccountWatching>> Watch(IAccountObserver observer) => Guard<AccountWatching>(async () =>
        await Watchers.WatchAsync(observer, TellOwnersAsync));

    public ValueTask<MailResult<IReadOnlyList<AnnotationMark>>> Annotations() => Guard<IReadOnlyList<AnnotationMark>>(async () =>
        await AccountAsync(fresh: false) is { } account ? await metadata.MarksAsync(Id, account.Settings.Tenant) : _noAccount);

    public ValueTask Unwatch(IAccountObserver observer)
    {
        Watchers.Remove(observer);
        return ValueTask.CompletedTask;
    }

    public ValueTask SharingChanged()
    {
        if (Watchers.Any)
            Watchers.Push(null, tree: true);
        return ValueTask.CompletedTask;
    }

    public async ValueTask<bool> Heard(MailboxId mailbox, MailboxStatus? counters)
    {
        if (!Watchers.Any)
            return false;
        try
        {
            if (counters is not null || (counters = await tree.CountersAsync(Id, mailbox)) is not null)
                Watchers.Push(counters, tree: false);
        }
        catch (StoreUnavailableException)
        {
            // Who hears of it reads all of it, as soon as it can be read.
            Watchers.Push(null, tree: true);
        }
        return true;
    }

    /// <summary>An owner that claims its mailbox after the rows were read asks by itself at its first change.</summary>
    private async Task TellOwnersAsync()
    {
        (List<StoredMailbox> rows, _) = await tree.ListRowsAsync(Id, false);
        try
        {
            await Task.WhenAll(rows.Where(MayBeInMemory).Select(row =>
                GrainFactory.GetGrain<IWatchedMailbox>(new MailboxKey(Id, row.Info.Id).ToString()).Watched().AsTask()));
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            throw new StoreUnavailableException("The owner of a mailbox could not be told that it is watched.", e);
        }
    }

    /// <summary>As <see cref="Guard"/>, for what changes names, uses or subscriptions; told also where the outcome is unknown.</summary>
    private async ValueTask<MailResult<T>> ChangingTreeAsync<T>(ValueTask<MailResult<T>> change)
    {
        try
        {
            return await change;
        }
        finally
        {
            if (Watchers.Any)
                Watchers.Push(null, tree: true);
        }
    }
}
