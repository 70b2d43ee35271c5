using System.Diagnostics;
using MailCluster.Cluster;
using MailCluster.Contracts;
using Microsoft.Extensions.Logging;

namespace MailCluster.Lmtp;

/// <summary>Puts a received message into the mailboxes of its recipients.</summary>
internal sealed class Delivery(MailClusterClient cluster, LmtpOptions options, ILogger log)
{
    /// <summary>With the mailbox as it was known, as it is now, and in the end into INBOX.</summary>
    private const int Attempts = 3;

    /// <summary>Delivers to every target, several at a time; one reply for each recipient, in the order of RCPT.</summary>
    public async Task<string[]> DeliverAsync(Transaction transaction, Trace trace, BodyTransfer transfer, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        IReadOnlyDictionary<TenantId, MailResult<StagedBody>> staged = await transfer.CompleteAsync().ConfigureAwait(false);
        IReadOnlyList<AcceptedRecipient> recipients = transaction.Recipients;
        var errors = new MailErrorCode?[recipients.Count][];
        for (int i = 0; i < errors.Length; i++)
            errors[i] = new MailErrorCode?[recipients[i].Targets.Count];
        int unused = 0;
        await Parallel.ForEachAsync(
            recipients.SelectMany(static (r, i) => r.Targets.Select((t, j) => (Recipient: i, Target: j))),
            new ParallelOptions { MaxDegreeOfParallelism = options.MaxConcurrentDeliveries, CancellationToken = CancellationToken.None },
            async (place, _) =>
            {
                AcceptedRecipient recipient = recipients[place.Recipient];
                Target target = recipient.Targets[place.Target];
                Outcome outcome = await TryDeliverAsync(target, recipient.Address, staged[target.Settings.Tenant], transfer, trace, cancellationToken).ConfigureAwait(false);
                errors[place.Recipient][place.Target] = outcome.Error?.Code;
                if (!outcome.TookClaim)
                    Interlocked.Increment(ref unused);
                Write(outcome, recipient.Address, target, staged[target.Settings.Tenant].Value, transfer.Received, trace, Stopwatch.GetElapsedTime(start));
            }).ConfigureAwait(false);
        if (unused == 0)
        {
            foreach (TenantId tenant in staged.Keys)
                transfer.Used(tenant);
        }
        LmtpMetrics.Messages.Add(1);
        LmtpMetrics.Bytes.Add(transfer.Received);
        return [.. recipients.Select((r, i) => Reply(r.Address, errors[i], trace.QueueId))];
    }

    /// <summary>
    /// An alias has one reply for several accounts. Where one may succeed later the whole is tried again: those that have the message don't get it twice.
    /// Otherwise one refusal is told, for nobody else would hear of it.
    /// </summary>
    private static string Reply(string address, MailErrorCode?[] errors, string queueId)
    {
        MailErrorCode? worst = errors.FirstOrDefault(static e => e is { } code && LmtpReply.IsTransient(code)) ?? errors.FirstOrDefault(static e => e is not null);
        return worst is { } error ? LmtpReply.Of(error, address) : LmtpReply.Delivered(address, queueId);
    }

    private async ValueTask<Outcome> TryDeliverAsync(
        Target target, string address, MailResult<StagedBody> staged, BodyTransfer transfer, Trace trace, CancellationToken cancellationToken)
    {
        if (transfer.IsTooBig)
            return new Outcome(new MailError(MailErrorCode.TooBig, "Too large."));
        if (staged.Error is { } error)
            return new Outcome(error);
        try
        {
            return await DeliverAsync(target, address, staged.Value!, trace, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // One recipient's bug must not take the reply from the others.
            LmtpLog.Bug(log, e);
            return new Outcome(new MailError(MailErrorCode.Unavailable, e.GetType().Name));
        }
    }

    private async ValueTask<Outcome> DeliverAsync(Target target, string address, StagedBody body, Trace trace, CancellationToken cancellationToken)
    {
        byte[] prefix = trace.Prefix(address);
        if (body.Size + prefix.Length > uint.MaxValue)
            return new Outcome(new MailError(MailErrorCode.TooBig, "Too large."));
        var message = new NewMessage(
            body.Body, target.Claim, prefix, (uint)(body.Size + prefix.Length), trace.Date.ToUnixTimeSeconds(), 0, FlagList.None, body.ThreadKeys);
        var request = new AppendRequest(
            cluster.NextOperation(), new Actor(target.Settings.User, trace.QueueId, trace.ClientAddress.ToString()), [message],
            target.Settings.Deduplicate ? trace.DeliveryOf(body, address) : null);

        AccountId account = target.Settings.Account;
        for (int attempt = 1; ; attempt++)
        {
            bool recall = attempt == 1;
            MailboxInfo? folder = target.Detail is { Length: > 0 } detail && attempt < Attempts
                ? await FindFolderAsync(target.Settings, detail, recall, cancellationToken).ConfigureAwait(false)
                : null;
            if (folder is null)
            {
                MailResult<MailboxInfo> inbox = await FindAsync(account, MailboxPath.Inbox, recall, cancellationToken).ConfigureAwait(false);
                if (inbox.Error is { } none)
                    return new Outcome(none);
                folder = inbox.Value!;
            }
            AppendRequest named = request with { Path = folder.Path };
            MailResult<AppendResult> appended =
                await cluster.AppendAsync(new MailboxKey(account, folder.Id), named, new CommandWait(cancellationToken)).ConfigureAwait(false);
            if (appended.Value is { } result)
                return new Outcome(null, folder.Path, result);
            // Renamed or deleted since it was looked for. INBOX can't be deleted, but its place may be taken by another (RENAME INBOX).
            if (appended.Error!.Code is not (MailErrorCode.MailboxGone or MailErrorCode.Renamed) || attempt == Attempts)
                return new Outcome(appended.Error, folder.Path);
        }
    }

    /// <summary>The folder that a sub-address names (RFC 5233), exactly or else without regard to case; null: INBOX. A fault here is none: the mail goes to INBOX.</summary>
    private async ValueTask<MailboxInfo?> FindFolderAsync(AccountSettings account, string detail, bool recall, CancellationToken cancellationToken)
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

    private ValueTask<MailResult<MailboxInfo>> FindAsync(AccountId account, MailboxPath path, bool recall, CancellationToken cancellationToken)
    {
        var wait = new CommandWait(cancellationToken);
        return recall ? cluster.RecallAsync(account, path, wait) : cluster.FindAsync(account, path, wait);
    }

    private void Write(Outcome outcome, string address, Target target, StagedBody? body, long received, Trace trace, TimeSpan elapsed)
    {
        string result = outcome.Error?.Code.ToString() ?? (outcome.Appended!.Duplicate ? "duplicate" : "delivered");
        LmtpMetrics.Deliveries.Add(1, new KeyValuePair<string, object?>("result", result));
        LmtpMetrics.Duration.Record(elapsed.TotalSeconds);
        LmtpLog.Delivery(
            log, result, trace.QueueId, LmtpLog.OneLine(body?.MessageId ?? ""), body?.Size ?? received, LmtpLog.OneLine(trace.Sender), LmtpLog.OneLine(address),
            LmtpLog.OneLine(target.Settings.User), LmtpLog.OneLine(outcome.Folder?.ToString() ?? ""), outcome.Appended?.Uids.ToString() ?? "", trace.SessionId,
            trace.ClientAddress.ToString(), outcome.Error is { } error ? error.Text.Replace('"', '\'') : "");
    }

    private sealed record Outcome(MailError? Error, MailboxPath? Folder = null, AppendResult? Appended = null)
    {
        public bool TookClaim => Appended is { Duplicate: false };
    }
}
