using System.Diagnostics;
using System.IO.Pipelines;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Lmtp.Filtering;
using Microsoft.Extensions.Logging;

namespace MailCluster.Lmtp;

/// <summary>Puts a received message into the mailboxes of its recipients.</summary>
/// <param name="filters">Null: nobody has filters.</param>
/// <param name="resume">As of <see cref="Placement"/>.</param>
internal sealed class Delivery(MailClusterClient cluster, LmtpOptions options, ILogger log, Filters? filters, PipeScheduler resume)
{
    private static readonly IReadOnlyDictionary<AccountId, AccountFilters> None = new Dictionary<AccountId, AccountFilters>();

    private readonly Placement _placement = new(cluster, resume);

    /// <summary>Delivers to every target, several at a time; one reply for each recipient, in the order of RCPT.</summary>
    public async Task<string[]> DeliverAsync(Transaction transaction, Trace trace, BodyTransfer transfer, CancellationToken cancellationToken)
    {
        long start = Stopwatch.GetTimestamp();
        IReadOnlyList<AcceptedRecipient> recipients = transaction.Recipients;
        // While the last of the message is stored; where none had any the commits look.
        Task<MailResult<IReadOnlyDictionary<AccountId, AccountFilters>>>? asking =
            filters is not null && !recipients.Any(r => r.Targets.Any(filters.Had)) ? null : FiltersAsync(recipients, cancellationToken).AsTask();
        IReadOnlyDictionary<TenantId, MailResult<StagedBody>> staged = await transfer.CompleteAsync().ConfigureAwait(false);
        var errors = new Outcome[recipients.Count][];
        for (int i = 0; i < errors.Length; i++)
            errors[i] = new Outcome[recipients[i].Targets.Count];
        int unused = 0;
        (int Recipient, int Target)[] places = [.. recipients.SelectMany(static (r, i) => r.Targets.Select((t, j) => (i, j)))];
        // None has a thread of its own: all are on their way to their owners before the first waits, and so come to the lane together.
        int next = 0;
        await Task.WhenAll(Enumerable.Range(0, Math.Min(places.Length, options.MaxConcurrentDeliveries)).Select(_ => DeliverSomeAsync())).ConfigureAwait(false);
        if (unused == 0)
        {
            foreach (TenantId tenant in staged.Keys)
                transfer.Used(tenant);
        }
        LmtpMetrics.Messages.Add(1);
        LmtpMetrics.Bytes.Add(transfer.Received);
        return [.. recipients.Select((r, i) => Reply(r.Address, errors[i], trace))];

        async Task DeliverSomeAsync()
        {
            while (Interlocked.Increment(ref next) is var place && place <= places.Length)
                await DeliverToAsync(places[place - 1]).ConfigureAwait(false);
        }

        async ValueTask DeliverToAsync((int Recipient, int Target) place)
        {
            AcceptedRecipient recipient = recipients[place.Recipient];
            Target target = recipient.Targets[place.Target];
            Outcome outcome = await TryDeliverAsync(target, recipient.Address, staged[target.Settings.Tenant], asking, transfer, trace, cancellationToken).ConfigureAwait(false);
            errors[place.Recipient][place.Target] = outcome;
            if (!outcome.TookClaim)
                Interlocked.Increment(ref unused);
            Write(outcome, recipient.Address, target, staged[target.Settings.Tenant].Value, transfer.Received, trace, Stopwatch.GetElapsedTime(start));
        }
    }

    /// <summary>
    /// An alias has one reply for several accounts. Where one may succeed later the whole is tried again: those that have the message don't get it twice.
    /// Otherwise one refusal is told, for nobody else would hear of it.
    /// </summary>
    private static string Reply(string address, Outcome[] outcomes, Trace trace)
    {
        Outcome? worst = outcomes.FirstOrDefault(static o => o.Error is { } e && LmtpReply.IsTransient(e.Code)) ?? outcomes.FirstOrDefault(static o => o.Error is not null)
            ?? outcomes.FirstOrDefault(static o => o.Refusal is not null);
        return worst is null ? LmtpReply.Delivered(address, trace.QueueId)
            : worst.Error is { } error ? LmtpReply.Of(error.Code, address) : LmtpReply.Refused(worst.Refusal!, trace.Utf8);
    }

    /// <summary>What recipients have for filters; a fault here defers the message, which else would pass them by.</summary>
    private async ValueTask<MailResult<IReadOnlyDictionary<AccountId, AccountFilters>>> FiltersAsync(IReadOnlyList<AcceptedRecipient> recipients, CancellationToken cancellationToken)
    {
        if (filters is null)
            return new(None, null);
        try
        {
            return new(await filters.OfAsync(recipients.SelectMany(static r => r.Targets), cancellationToken).ConfigureAwait(false), null);
        }
        catch (Exception e) when (e is StoreUnavailableException or OperationCanceledException)
        {
            return new MailError(MailErrorCode.Unavailable, e.Message);
        }
    }

    /// <param name="asking">The filters of all recipients; null: they are to be asked for where there are any.</param>
    private async ValueTask<Outcome> TryDeliverAsync(
        Target target, string address, MailResult<StagedBody> staged, Task<MailResult<IReadOnlyDictionary<AccountId, AccountFilters>>>? asking, BodyTransfer transfer, Trace trace,
        CancellationToken cancellationToken)
    {
        if (transfer.IsTooBig)
            return new Outcome(new MailError(MailErrorCode.TooBig, "Too large."));
        if (staged.Error is { } notStored)
            return new Outcome(notStored);
        try
        {
            StagedBody body = staged.Value!;
            if (asking is null && await DeliverAsync(target, address, body, trace, unfiltered: true, cancellationToken).ConfigureAwait(false)
                is { Error: not { Code: MailErrorCode.Filtered } } done)
            {
                return done;
            }
            asking ??= FiltersAsync([new AcceptedRecipient(address, [target])], cancellationToken).AsTask();
            MailResult<IReadOnlyDictionary<AccountId, AccountFilters>> active = await asking.ConfigureAwait(false);
            if (active.Error is { } error)
                return new Outcome(error);
            if (!active.Value!.TryGetValue(target.Settings.Account, out AccountFilters? scripts))
                return await DeliverAsync(target, address, body, trace, unfiltered: false, cancellationToken).ConfigureAwait(false);
            FilterOutcomes filtered = await filters!.DeliverAsync(target, address, body, trace, scripts, _placement, cancellationToken).ConfigureAwait(false);
            return new Outcome(filtered.Error, filtered.First?.Folder, filtered.First?.Appended, filtered.Refusal, filtered.Words) { TookClaim = filtered.TookClaim };
        }
        catch (Exception e) when (e is StoreUnavailableException or OperationCanceledException)
        {
            return new Outcome(new MailError(MailErrorCode.Unavailable, e.Message));
        }
        catch (Exception e)
        {
            // One recipient's bug must not take the reply from the others.
            LmtpLog.Bug(log, e);
            return new Outcome(new MailError(MailErrorCode.Unavailable, e.GetType().Name));
        }
    }

    /// <param name="unfiltered">As <see cref="AppendRequest.Unfiltered"/>.</param>
    private async ValueTask<Outcome> DeliverAsync(Target target, string address, StagedBody body, Trace trace, bool unfiltered, CancellationToken cancellationToken)
    {
        byte[] prefix = trace.Prefix(address);
        if (body.Size + prefix.Length > uint.MaxValue)
            return new Outcome(new MailError(MailErrorCode.TooBig, "Too large."));
        var message = new NewMessage(
            body.Body, target.Claim, prefix, (uint)(body.Size + prefix.Length), trace.Date.ToUnixTimeSeconds(), 0, FlagList.None, body.ThreadKeys);
        Placed placed = await _placement.StoreAsync(
            target.Settings, new Actor(target.Settings.User, trace.QueueId, trace.ClientAddress.ToString()), message,
            target.Settings.Deduplicate ? trace.DeliveryOf(body, address) : null,
            target.Detail is { Length: > 0 } detail ? recall => _placement.FindFolderAsync(target.Settings, detail, recall, cancellationToken) : null,
            cancellationToken, posted: target.Settings.SharedStore, unfiltered).ConfigureAwait(false);
        return new Outcome(placed.Error, placed.Folder, placed.Appended) { TookClaim = placed.TookClaim };
    }

    private void Write(Outcome outcome, string address, Target target, StagedBody? body, long received, Trace trace, TimeSpan elapsed)
    {
        string result = outcome.Error?.Code.ToString() ?? (outcome.Appended is { } appended ? appended.Duplicate ? "duplicate" : "delivered" : outcome.Words ?? "discarded");
        LmtpMetrics.Deliveries.Add(1, new KeyValuePair<string, object?>("result", result));
        LmtpMetrics.Duration.Record(elapsed.TotalSeconds);
        LmtpLog.Delivery(
            log, result, trace.QueueId, LmtpLog.OneLine(body?.MessageId ?? ""), body?.Size ?? received, LmtpLog.OneLine(trace.Sender), LmtpLog.OneLine(address),
            LmtpLog.OneLine(target.Settings.User), LmtpLog.OneLine(outcome.Folder?.ToString() ?? ""), outcome.Appended?.Uids.ToString() ?? "", trace.SessionId,
            trace.ClientAddress.ToString(), outcome.Error is { } error ? error.Text.Replace('"', '\'') : outcome.Refusal is { } refusal ? LmtpLog.OneLine(refusal) : outcome.Words ?? "");
    }

    /// <param name="Refusal">Not null: a filter refuses the message with this reason.</param>
    /// <param name="Words">What filters have done.</param>
    private sealed record Outcome(MailError? Error, MailboxPath? Folder = null, AppendResult? Appended = null, string? Refusal = null, string? Words = null)
    {
        public bool TookClaim { get; init; }
    }
}
