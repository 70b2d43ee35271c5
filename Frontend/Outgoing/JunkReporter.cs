using MailCluster.Contracts;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MailCluster.Outgoing;

/// <summary>
/// Tells tenants' spam filters what users have moved into and out of their Junk mailboxes: each message is posted as it is stored. Far from the commits, which know nothing of it:
/// the log of changes is read in slices, and what was found waits in a table until it was told.
/// </summary>
public sealed partial class JunkReporter : IDisposable
{
    /// <summary>Junk mailboxes that are looked at by one statement.</summary>
    private const int Slice = 500;

    private const int Batch = 8;

    /// <summary>Times what a slice takes: the pause after it.</summary>
    private const int Idle = 5;

    /// <summary>What a filter learns from lies in the first of it.</summary>
    private const int MostOctets = 1024 * 1024;

    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan GiveUpAfter = TimeSpan.FromDays(1);

    private readonly IJunkReports _reports;
    private readonly IMessageBodies _bodies;
    private readonly TimeSpan _every;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly HttpClient _http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false }) { Timeout = TimeSpan.FromSeconds(30) };
    private MailboxKey _at;

    /// <param name="every">Between two looks at all Junk mailboxes.</param>
    public JunkReporter(IJunkReports reports, IMessageBodies bodies, TimeSpan every, ILoggerFactory? logs = null, TimeProvider? time = null)
    {
        _reports = reports;
        _bodies = bodies;
        _every = every;
        _time = time ?? TimeProvider.System;
        _log = (logs ?? NullLoggerFactory.Instance).CreateLogger("MailCluster.Junk");
    }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            bool more = false;
            long began = _time.GetTimestamp();
            try
            {
                more = await ScanAsync(stop).ConfigureAwait(false);
                while (!stop.IsCancellationRequested && await TellBatchAsync(stop).ConfigureAwait(false))
                {
                }
            }
            catch (StoreUnavailableException)
            {
                // Nothing is lost: what was not read or told is there the next time.
            }
            catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
            {
                Bug(_log, e);
            }
            // A million of them are no reason to keep PostgreSQL busy: it is left alone for most of the time.
            TimeSpan pause = TimeSpan.FromMilliseconds(Math.Max(100, Idle * _time.GetElapsedTime(began).TotalMilliseconds));
            await Task.Delay(more ? pause : _every * (0.5 + Random.Shared.NextDouble()), _time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Looks at the next Junk mailboxes; false when these were the last.</summary>
    public async Task<bool> ScanAsync(CancellationToken cancellationToken)
    {
        (MailboxKey? last, _) = await _reports.ScanAsync(_at, Slice, cancellationToken).ConfigureAwait(false);
        _at = last ?? default;
        return last is not null;
    }

    /// <summary>Tells some reports; false when none was due.</summary>
    public async Task<bool> TellBatchAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<JunkReport> batch = await _reports.TakeAsync(Batch, Lease, cancellationToken).ConfigureAwait(false);
        foreach (JunkReport report in batch)
        {
            string? problem = await TellAsync(report, cancellationToken).ConfigureAwait(false);
            bool over = problem is null || _time.GetUtcNow() - report.Created > GiveUpAfter;
            OutgoingMetrics.Reports.Add(1, new("kind", report.Spam ? "spam" : "ham"), new("result", problem is null ? "told" : over ? "given up" : "later"));
            if (problem is not null)
                NotTold(_log, report, report.Attempt, problem);
            if (over)
                await _reports.EndAsync(report, cancellationToken).ConfigureAwait(false);
            else
                await _reports.RetryAsync(report, TimeSpan.FromSeconds(Math.Min(3600, Math.Pow(2, Math.Min(report.Attempt, 12)))), cancellationToken).ConfigureAwait(false);
        }
        return batch.Count > 0;
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Posts the message; null: done, or there is nothing to tell any more.</summary>
    private async Task<string?> TellAsync(JunkReport report, CancellationToken cancellationToken)
    {
        if (report.Url is not { } url)
            return null;
        if (await _bodies.GetEmailsAsync(report.Account, [report.Email], false, cancellationToken).ConfigureAwait(false) is not [{ } email])
            return null;
        try
        {
            var octets = new MemoryStream();
            octets.Write(email.Prefix);
            await foreach (ReadOnlyMemory<byte> piece in _bodies.ReadAsync(email.Body, email.BodySize, 0, Math.Min(email.BodySize, MostOctets), cancellationToken).ConfigureAwait(false))
                octets.Write(piece.Span);
            octets.Position = 0;
            using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StreamContent(octets) };
            request.Content.Headers.ContentType = new("message/rfc822");
            if (report.Header?.Split(':', 2) is [var name, var value])
                request.Headers.TryAddWithoutValidation(name.Trim(), value.Trim());
            using HttpResponseMessage answer = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            // 208 and 404 are rspamd's for what it knows already, or can't learn from: it would say the same again.
            return answer.IsSuccessStatusCode || (int)answer.StatusCode is 404 or 413 or 415 or 422 ? null : $"HTTP {(int)answer.StatusCode}";
        }
        catch (BodyGoneException)
        {
            return null;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException or UriFormatException or NotSupportedException && !cancellationToken.IsCancellationRequested)
        {
            return e.GetType().Name;
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "a report of {Report} was not told at attempt {Attempt}: {Reason}")]
    private static partial void NotTold(ILogger log, JunkReport report, int attempt, string reason);

    [LoggerMessage(2, LogLevel.Error, "reports of junk failed for a reason that is not expected")]
    private static partial void Bug(ILogger log, Exception exception);
}
