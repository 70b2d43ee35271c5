using System.IO.Pipelines;
using MailCluster.Cluster;
using MailCluster.Contracts;

namespace MailCluster.Lmtp;

/// <summary>Puts one message into one mailbox of an account, whatever happens to the mailbox in the meantime.</summary>
/// <param name="resume">Where a delivery without filters goes on, as of <see cref="CommandWait"/>: what is left of it is short.</param>
internal sealed class Placement(MailClusterClient cluster, PipeScheduler resume)
{
    /// <summary>With the mailbox as it was known, as it is now, and in the end into INBOX.</summary>
    private const int Attempts = 3;

    /// <param name="delivery">Null: stored however often it comes.</param>
    /// <param name="find">
    /// The mailbox that is wanted: told whether what was known will do; null is INBOX. Not asked the last time.
    /// </param>
    /// <param name="posted">Below INBOX it takes mail only where anyone may post (RFC 4314: p), as the mailbox's owner decides; else it goes to INBOX.</param>
    /// <param name="unfiltered">As <see cref="AppendRequest.Unfiltered"/>.</param>
    public async ValueTask<Placed> StoreAsync(
        AccountSettings account, Actor actor, NewMessage message, Guid? delivery, Func<bool, ValueTask<MailboxInfo?>>? find, CancellationToken cancellationToken, bool posted = false, bool unfiltered = false)
    {
        bool mayPost = true;
        var request = new AppendRequest(cluster.NextOperation(), actor, [message], delivery, Unfiltered: unfiltered);
        for (int attempt = 1; ; attempt++)
        {
            bool recall = attempt == 1;
            MailboxInfo? folder = find is not null && attempt < Attempts && mayPost ? await find(recall).ConfigureAwait(false) : null;
            if (folder is null)
            {
                MailResult<MailboxInfo> inbox = await FindAsync(account.Account, MailboxPath.Inbox, recall, cancellationToken).ConfigureAwait(false);
                if (inbox.Error is { } none)
                    return new Placed(none);
                folder = inbox.Value!;
            }
            bool posts = posted && !folder.Path.IsInbox;
            AppendRequest named = request with { Path = folder.Path, Actor = posts ? actor with { Account = MailboxAcl.Anyone } : actor };
            MailResult<AppendResult> appended =
                await cluster.AppendAsync(new MailboxKey(account.Account, folder.Id), named, new CommandWait(cancellationToken, unfiltered ? resume : null)).ConfigureAwait(false);
            if (appended.Value is { } result)
                return new Placed(null, folder.Path, result);
            // Renamed or deleted since it was looked for. INBOX can't be deleted, but its place may be taken by another (RENAME INBOX).
            if (posts && appended.Error!.Code is MailErrorCode.NoPermission or MailErrorCode.NonExistent)
                mayPost = false;
            else if (appended.Error!.Code is not (MailErrorCode.MailboxGone or MailErrorCode.Renamed) || attempt == Attempts)
                return new Placed(appended.Error, folder.Path);
        }
    }

    /// <summary>The folder that a sub-address names (RFC 5233), exactly or else without regard to case; null: INBOX. A fault here is none: the mail goes to INBOX.</summary>
    public async ValueTask<MailboxInfo?> FindFolderAsync(AccountSettings account, string detail, bool recall, CancellationToken cancellationToken)
    {
        if (detail.Split(account.Delimiter).Any(static s => s.Length == 0))
            return null;
        var path = MailboxPath.Parse(detail, account.Delimiter);
        MailResult<MailboxInfo> exact = await FindAsync(account.Account, path, recall, cancellationToken).ConfigureAwait(false);
        if (exact.Value is { Selectable: true } found)
            return found;
        IAccountGrain owner = cluster.Account(account.Account);
        MailResult<MailboxTree> tree = await cluster.CallAsync(() => owner.List(withStatus: false), cancellationToken).ConfigureAwait(false);
        return tree.Value?.Mailboxes.FirstOrDefault(m => m.Selectable && m.Path.Segments.SequenceEqual(path.Segments, StringComparer.OrdinalIgnoreCase));
    }

    public ValueTask<MailResult<MailboxInfo>> FindAsync(AccountId account, MailboxPath path, bool recall, CancellationToken cancellationToken)
    {
        var wait = new CommandWait(cancellationToken);
        return recall ? cluster.RecallAsync(account, path, wait) : cluster.FindAsync(account, path, wait);
    }
}

/// <summary>What became of a message at one mailbox.</summary>
internal sealed record Placed(MailError? Error, MailboxPath? Folder = null, AppendResult? Appended = null)
{
    /// <summary>The message took its claim on the body.</summary>
    public bool TookClaim => Appended is { Duplicate: false };
}
