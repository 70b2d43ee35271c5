using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Session;

public sealed partial class ImapSession
{
    private static readonly MailError NoSuchMailbox = new(MailErrorCode.NonExistent, "There is no mailbox of that name");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>The mailbox of a name that can be selected, without its special uses and counters, or <see cref="MailErrorCode.NonExistent"/>.</summary>
    public async ValueTask<MailResult<MailboxInfo>> FindAsync(ImapUser user, MailboxArgument name)
    {
        if (user.Names.Find(name) is not { } path)
            return NoSuchMailbox;
        if (Cluster.Mailboxes.TryFind(user.Settings.Account, path, out MailboxKey known, out _))
            return new MailboxInfo(known.Mailbox, path, true, [], null);
        MailResult<MailboxInfo> found = await Cluster.CallAsync(() => user.Account.Find(path), Wait);
        return found.Error is null && !found.Value!.Selectable ? NoSuchMailbox : found;
    }

    /// <summary>As <see cref="FindAsync"/> for the target of APPEND, COPY and MOVE: what could be created is <see cref="MailErrorCode.TryCreate"/>.</summary>
    public async ValueTask<MailResult<MailboxInfo>> FindTargetAsync(ImapUser user, MailboxArgument name)
    {
        MailResult<MailboxInfo> found = await FindAsync(user, name);
        return found.Error is { } error ? NoSuchTarget(user, name, error) : found;
    }

    /// <summary>
    /// As <see cref="FindTargetAsync"/> for APPEND. With <paramref name="recall"/> it is the mailbox that had the name when it was last looked for; see
    /// <see cref="MailClusterClient.RecallAsync"/>.
    /// </summary>
    public async ValueTask<MailResult<MailboxInfo>> FindAppendTargetAsync(ImapUser user, MailboxArgument name, bool recall)
    {
        if (user.Names.Find(name) is not { } path)
            return NoSuchTarget(user, name, NoSuchMailbox);
        MailResult<MailboxInfo> found = recall
            ? await Cluster.RecallAsync(user.Settings.Account, path, Wait)
            : await Cluster.FindAsync(user.Settings.Account, path, Wait);
        return found.Error is { } error ? NoSuchTarget(user, name, error) : found.Value!.Selectable ? found : NoSuchTarget(user, name, NoSuchMailbox);
    }

    private static MailError NoSuchTarget(ImapUser user, MailboxArgument name, MailError error) =>
        error.Code == MailErrorCode.NonExistent && user.Names.New(name).IsOk ? error with { Code = MailErrorCode.TryCreate } : error;

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
