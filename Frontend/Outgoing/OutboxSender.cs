using MailCluster.Cluster;
using MailCluster.Contracts;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MailCluster.Outgoing;

/// <summary>
/// Sends what is in the outbox to the relay, one message after the other on each of a few connections. Any number of nodes may do so: a message is one sender's at a time.
/// What the relay refuses for good is given up; where the message itself would be lost with that, it goes to its owner's INBOX. Where a connection breaks between the end of
/// a message and the relay's answer nobody can know whether it was taken (RFC 1047): it is sent again, with the same Message-ID.
/// </summary>
public sealed partial class OutboxSender(
    IOutbox outbox, IMailFilters filters, MailClusterClient cluster, RelayOptions options, ILoggerFactory? logs = null, TimeProvider? time = null)
{
    private const int Batch = 8;

    private readonly ILogger _log = (logs ?? NullLoggerFactory.Instance).CreateLogger("MailCluster.Outgoing");
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly string _name = $"{options.HostName}/{Guid.NewGuid():N}";
    private readonly Returns _returns = new(cluster);

    /// <summary>Runs until it is told to stop; what is under way then is ended first.</summary>
    public Task RunAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, options.Senders).Select(_ => SendAllAsync(stop)).Append(CountAsync(stop)));

    /// <summary>For whoever watches the queue.</summary>
    private async Task CountAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                (long count, TimeSpan oldest) = await outbox.WaitingAsync(stop).ConfigureAwait(false);
                OutgoingMetrics.Waiting(count, oldest);
            }
            catch (Exception e) when (e is StoreUnavailableException or OperationCanceledException)
            {
                // What was seen last stands.
            }
            await Task.Delay(TimeSpan.FromSeconds(30), _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task SendAllAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            bool any = false;
            try
            {
                any = await SendBatchAsync(stop).ConfigureAwait(false);
            }
            catch (StoreUnavailableException e)
            {
                Away(_log, e.Message);
            }
            catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
            {
                Bug(_log, e);
            }
            if (!any)
                // Nodes must not come as one.
                await Task.Delay(options.Poll * (0.5 + Random.Shared.NextDouble()), _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Takes some messages and sends them; false when there was none.</summary>
    public async Task<bool> SendBatchAsync(CancellationToken stop)
    {
        IReadOnlyList<WaitingMail> batch = await outbox.TakeAsync(_name, Batch, options.Lease, stop).ConfigureAwait(false);
        if (batch.Count == 0)
            return false;
        using var relay = new Relay(options);
        try
        {
            foreach (WaitingMail mail in batch)
            {
                // What has waited for the ones before it may be another's by now.
                if (stop.IsCancellationRequested || !await outbox.RenewAsync(mail, options.Lease, CancellationToken.None).ConfigureAwait(false))
                    continue;
                await SendAsync(relay, mail).ConfigureAwait(false);
            }
        }
        finally
        {
            await relay.CloseAsync().ConfigureAwait(false);
        }
        return true;
    }

    private async Task SendAsync(Relay relay, WaitingMail mail)
    {
        long start = _time.GetTimestamp();
        string kind = mail.Mail.Kind.ToString().ToLowerInvariant();
        using var sending = new CancellationTokenSource();
        Task renewing = KeepAsync(mail, sending);
        SendResult result;
        try
        {
            await using Stream message = await Messages.OpenAsync(cluster.Bodies, mail, sending.Token).ConfigureAwait(false);
            result = await relay.SendAsync(mail.Mail, message, sending.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is BodyGoneException or StoreUnavailableException or OperationCanceledException or IOException)
        {
            result = new SendResult(e is BodyGoneException ? SendOutcome.Refused : SendOutcome.Later, e.Message);
        }
        finally
        {
            await sending.CancelAsync().ConfigureAwait(false);
            await renewing.ConfigureAwait(false);
        }
        OutgoingMetrics.Sent.Add(1, new("kind", kind), new("result", result.Outcome.ToString().ToLowerInvariant()));
        Sent(_log, result.Outcome == SendOutcome.Sent ? LogLevel.Information : LogLevel.Warning, result.Outcome, kind, mail.Operation, mail.Mail.Ordinal, mail.Attempt, mail.Mail.Sender,
            string.Join(',', mail.Mail.Recipients), mail.Account.Value, _time.GetElapsedTime(start).TotalMilliseconds, result.Text.Replace('"', '\'').ReplaceLineEndings(" "));
        switch (result.Outcome)
        {
            case SendOutcome.Sent:
                await PersistAsync(() => outbox.EndAsync(mail, CancellationToken.None)).ConfigureAwait(false);
                break;
            case SendOutcome.Later when _time.GetUtcNow() - mail.Created < options.GiveUpAfter:
                await outbox.RetryAsync(mail, Wait(mail.Attempt), result.Text, CancellationToken.None).ConfigureAwait(false);
                break;
            default:
                await GiveUpAsync(mail, result.Text).ConfigureAwait(false);
                break;
        }
    }

    /// <summary>Holds the message while it is being sent, however long that takes; where it is another's, sending is broken off.</summary>
    private async Task KeepAsync(WaitingMail mail, CancellationTokenSource sending)
    {
        while (true)
        {
            await Task.Delay(options.Lease / 3, _time, sending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (sending.IsCancellationRequested)
                return;
            try
            {
                if (!await outbox.RenewAsync(mail, options.Lease, CancellationToken.None).ConfigureAwait(false))
                {
                    await sending.CancelAsync().ConfigureAwait(false);
                    return;
                }
            }
            catch (StoreUnavailableException)
            {
                // Tried again while the lease lasts.
            }
        }
    }

    private async Task GiveUpAsync(WaitingMail mail, string reason)
    {
        string what = $"{mail.Mail.Kind.ToString().ToLowerInvariant()} to {string.Join(", ", mail.Mail.Recipients)} failed: {reason}";
        if (mail.Mail.Required && mail.Mail.Body is not null)
        {
            MailResult<Done> returned = await _returns.ToInboxAsync(mail, what, CancellationToken.None).ConfigureAwait(false);
            if (returned.Error is { } error && error.Code != MailErrorCode.NonExistent)
            {
                // The owner's mailbox may be full: there is no better place for it than here.
                await outbox.RetryAsync(mail, options.MaxRetry, $"{what}; and INBOX does not take it: {error.Text}", CancellationToken.None).ConfigureAwait(false);
                return;
            }
        }
        await filters.NoteFailureAsync(mail.Account, what, CancellationToken.None).ConfigureAwait(false);
        await PersistAsync(() => outbox.EndAsync(mail, CancellationToken.None)).ConfigureAwait(false);
    }

    /// <summary>What was sent must not be sent again because PostgreSQL was away for a moment: tried for as long as the lease lasts.</summary>
    private async Task PersistAsync(Func<ValueTask<bool>> end)
    {
        long start = _time.GetTimestamp();
        while (true)
        {
            try
            {
                await end().ConfigureAwait(false);
                return;
            }
            catch (StoreUnavailableException) when (_time.GetElapsedTime(start) < options.Lease)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), _time).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Twice as long each time, and not all at once.</summary>
    private TimeSpan Wait(int attempt)
    {
        double wait = Math.Min(options.MaxRetry.TotalSeconds, options.FirstRetry.TotalSeconds * Math.Pow(2, Math.Min(attempt - 1, 20)));
        return TimeSpan.FromSeconds(wait * (0.75 + (Random.Shared.NextDouble() / 2)));
    }

    [LoggerMessage(EventId = 1, Message =
        "outgoing {Result} kind={Kind} operation={Operation}.{Ordinal} attempt={Attempt} from=<{Sender}> to={Recipients} account={Account} ms={Milliseconds:F0} reason=\"{Reason}\"")]
    private static partial void Sent(ILogger log, LogLevel level, SendOutcome result, string kind, Guid operation, short ordinal, int attempt, string sender, string recipients,
        long account, double milliseconds, string reason);

    [LoggerMessage(2, LogLevel.Warning, "the outbox can't be read: {Reason}")]
    private static partial void Away(ILogger log, string reason);

    [LoggerMessage(3, LogLevel.Error, "sending failed for a reason that is not expected")]
    private static partial void Bug(ILogger log, Exception exception);
}
