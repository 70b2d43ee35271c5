using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Session;

public sealed partial class ImapSession
{
    private static readonly MailError NoSuchMailbox = new(MailErrorCode.NonExistent, "There is no mailbox of that name");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>The account and path of a name that may exist: the user's own, or in the namespaces of others. <see cref="MailErrorCode.NonExistent"/> where there can be none.</summary>
    public async ValueTask<MailResult<NamedMailbox>> ResolveAsync(ImapUser user, MailboxArgument name)
    {
        if (user.Names.IsOther(name.Name))
            return user.Names.FindOther(name) is { } other ? await NeighbourAsync(user, other.User, other.Path, name) : NoSuchMailbox;
        return user.Names.Find(name) is { } path ? Own(user, path) : NoSuchMailbox;
    }

    /// <summary>As <see cref="ResolveAsync"/> for a name that is to be created, or why it may not be.</summary>
    public async ValueTask<MailResult<NamedMailbox>> ResolveNewAsync(ImapUser user, MailboxArgument name)
    {
        if (user.Names.IsOther(name.Name))
        {
            MailResult<(string User, MailboxPath Path)> other = user.Names.NewOther(name);
            return other.Error is { } refused ? refused : await NeighbourAsync(user, other.Value.User, other.Value.Path, name);
        }
        MailResult<MailboxPath> path = user.Names.New(name);
        return path.Error is { } error ? error : Own(user, path.Value!);
    }

    private NamedMailbox Own(ImapUser user, MailboxPath path) => new(user.Settings.Account, path, user.Names.NameOf(path), user.Account, null);

    private async ValueTask<MailResult<NamedMailbox>> NeighbourAsync(ImapUser user, string neighbour, MailboxPath path, MailboxArgument name)
    {
        if (!user.Neighbours.TryGetValue(neighbour, out AccountId account))
        {
            MailResult<AccountRef?> found = await Cluster.AskAsync(() => Cluster.Directory.FindUser(neighbour), Gone);
            if (found.Error is { } error)
                return error;
            if (found.Value is { } own && own.Tenant == user.Settings.Tenant)
                user.Neighbours[neighbour] = account = own.Account;
            else
            {
                // Whether nobody has the name or somebody of a tenant that shares nothing with this one: the same is asked and answered.
                found = await Cluster.AskAsync(() => Cluster.Directory.FindNeighbour(neighbour, user.Settings.Tenant), Gone);
                if (found.Error is { } unknown)
                    return unknown;
                if (found.Value is not { } other)
                    return NoSuchMailbox;
                account = other.Account;
            }
        }
        return account == user.Settings.Account
            ? Own(user, path)
            : new NamedMailbox(account, path, name.Name.TrimEnd(user.Names.Delimiter), Cluster.Account(account), user.Settings.Account);
    }

    /// <summary>The mailbox of a name that can be selected, without its special uses and counters, or <see cref="MailErrorCode.NonExistent"/>.</summary>
    public async ValueTask<MailResult<FoundMailbox>> FindAsync(ImapUser user, MailboxArgument name)
    {
        MailResult<NamedMailbox> resolved = await ResolveAsync(user, name);
        if (resolved.Value is not { } named)
            return resolved.Error!;
        if (named.Viewer is null && Cluster.Mailboxes.TryFind(named.Account, named.Path, out MailboxKey known, out _))
            return new FoundMailbox(named, new MailboxInfo(known.Mailbox, named.Path, true, [], null));
        MailResult<MailboxInfo> found = await Cluster.CallAsync(() => named.Viewer is { } viewer ? named.Owner.FindAs(named.Path, viewer) : named.Owner.Find(named.Path), Wait);
        return Selectable(named, found);
    }

    /// <summary>As <see cref="FindAsync"/> for the target of APPEND, COPY and MOVE: what could be created is <see cref="MailErrorCode.TryCreate"/>.</summary>
    public async ValueTask<MailResult<FoundMailbox>> FindTargetAsync(ImapUser user, MailboxArgument name)
    {
        MailResult<FoundMailbox> found = await FindAsync(user, name);
        return found.Error is { } error ? NoSuchTarget(user, name, error) : found;
    }

    /// <summary>
    /// As <see cref="FindTargetAsync"/> for APPEND. With <paramref name="recall"/> it is the mailbox that had the name when it was last looked for; see
    /// <see cref="MailClusterClient.RecallAsync"/>.
    /// </summary>
    public async ValueTask<MailResult<FoundMailbox>> FindAppendTargetAsync(ImapUser user, MailboxArgument name, bool recall)
    {
        MailResult<NamedMailbox> resolved = await ResolveAsync(user, name);
        if (resolved.Value is not { } named)
            return NoSuchTarget(user, name, resolved.Error!);
        MailResult<MailboxInfo> found = named.Viewer is { } viewer ? await Cluster.CallAsync(() => named.Owner.FindAs(named.Path, viewer), Wait)
            : recall ? await Cluster.RecallAsync(named.Account, named.Path, Wait)
            : await Cluster.FindAsync(named.Account, named.Path, Wait);
        MailResult<FoundMailbox> target = Selectable(named, found);
        return target.Error is { } error ? NoSuchTarget(user, name, error) : target;
    }

    private static MailResult<FoundMailbox> Selectable(NamedMailbox named, MailResult<MailboxInfo> found) =>
        found.Error is { } error ? error : found.Value!.Selectable ? new FoundMailbox(named, found.Value) : NoSuchMailbox;

    private static MailError NoSuchTarget(ImapUser user, MailboxArgument name, MailError error) =>
        error.Code == MailErrorCode.NonExistent && (user.Names.IsOther(name.Name) ? user.Names.NewOther(name).IsOk : user.Names.New(name).IsOk) ? error with { Code = MailErrorCode.TryCreate } : error;

    /// <summary>Waits for work that may take long, and says that it goes on every 15 s (RFC 9585), so that nothing on the way forgets the connection.</summary>
    public async ValueTask<T> PatientAsync<T>(ValueTask<T> work, string text)
    {
        if (work.IsCompleted)
            return await work;
        Task<T> task = work.AsTask();
        while (!task.IsCompleted)
        {
            try
            {
                return await task.WaitAsync(Patience, Services.Time);
            }
            catch (TimeoutException) when (!task.IsCompleted)
            {
                Reply.Status(null, "OK"u8, InProgress, text);
                await Connection.Output.FlushAsync();
            }
        }
        return await task;
    }

    /// <summary>Whose work goes on; how far it is, and how far it has to go, is not known.</summary>
    private string? InProgress => _runningTag is { } tag ? $"INPROGRESS (\"{tag}\" NIL NIL)" : null;

    /// <summary>A CONDSTORE-enabling command (RFC 7162 §3.1) was given; in the selected state it is answered with HIGHESTMODSEQ.</summary>
    public void EnableCondStore(ImapUser user)
    {
        if (user.CondStore)
            return;
        user.CondStore = true;
        TellHighestModSeq();
    }

    internal void TellHighestModSeq()
    {
        if (State is Selected { Mailbox: var mailbox })
            Reply.Status(null, "OK"u8, $"HIGHESTMODSEQ {mailbox.View?.Messages.ModSeq ?? mailbox.Told.Status.HighestModSeq}", "Highest");
    }
}
