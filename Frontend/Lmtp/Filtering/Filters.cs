using System.Collections.Concurrent;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Sieve;
using MailCluster.Sieve.Running;
using Microsoft.Extensions.Logging;

namespace MailCluster.Lmtp.Filtering;

/// <summary>
/// Delivers to accounts that have filters: the scripts decide, then it is done in this order: copies into mailboxes, each once however often the delivery is tried; then, in one
/// transaction, the outbox, what is to be remembered, and that this delivery is done. What fails in between is a 4xx, and the next try finds what the one before has done.
/// Whatever is wrong with a script, the message is kept, and its owner can see why.
/// </summary>
internal sealed class Filters(MailClusterClient cluster, IMailFilters store, FilterOptions options, ILogger log)
{
    /// <summary>Accounts that are remembered to have filters; when there are more, all are forgotten.</summary>
    private const int Most = 100_000;

    private readonly ScriptCache _scripts = new(options);
    private readonly ConcurrentDictionary<AccountId, bool> _having = new();

    /// <summary>Whether a target had filters when they were asked for last. Only tells which way is the shorter one: the commit of a message that passes filters by asks for them itself.</summary>
    public bool Had(Target target) => _having.ContainsKey(target.Settings.Account);

    /// <summary>The filters of those targets that have any. To be asked when the message has come: what is active by then counts.</summary>
    public async ValueTask<IReadOnlyDictionary<AccountId, AccountFilters>> OfAsync(IEnumerable<Target> targets, CancellationToken cancellationToken)
    {
        (AccountId Account, TenantId Tenant)[] accounts = [.. targets.Select(static t => (t.Settings.Account, t.Settings.Tenant)).Distinct()];
        IReadOnlyDictionary<AccountId, AccountFilters> found = await store.FiltersAsync(accounts, cancellationToken).ConfigureAwait(false);
        foreach ((AccountId account, _) in accounts)
        {
            if (!found.ContainsKey(account))
                _having.TryRemove(account, out _);
            else if (_having.TryAdd(account, true) && _having.Count > Most)
                _having.Clear();
        }
        return found;
    }

    /// <exception cref="StoreUnavailableException">To be tried again.</exception>
    public async ValueTask<FilterOutcomes> DeliverAsync(
        Target target, string address, StagedBody body, Trace trace, AccountFilters filters, Placement placement, CancellationToken cancellationToken)
    {
        // Several may refer to it, and read it elsewhere: it must not be in this process alone.
        await cluster.Bodies.KeepAsync(body.Body).ConfigureAwait(false);
        var host = new FilterHost(cluster, store, _scripts, target.Settings, body);
        (SieveMessage message, SieveSetting setting) = await FactsAsync(target, address, body, trace, host, cancellationToken).ConfigureAwait(false);
        SieveResult result = await RunAsync(target, filters, message, setting, host, cancellationToken).ConfigureAwait(false);
        var delivery = new FilteredDelivery(cluster, store, options, target, address, body, trace, placement, host, message, setting);
        FilterOutcomes outcome = await delivery.CarryOutAsync(result, cancellationToken).ConfigureAwait(false);
        LmtpMetrics.Filters.Add(1, new KeyValuePair<string, object?>("result", outcome.Failure is null ? "ok" : "failed"));
        if (outcome.Failure is { } failure)
            await NoteAsync(target.Settings, failure, cancellationToken).ConfigureAwait(false);
        return outcome;
    }

    private async ValueTask<(SieveMessage, SieveSetting)> FactsAsync(
        Target target, string address, StagedBody body, Trace trace, FilterHost host, CancellationToken cancellationToken)
    {
        var header = MessageHeader.Parse(await host.ReadAsync(options.HeaderOctets, cancellationToken).ConfigureAwait(false));
        string user = target.Settings.User;
        string[] own = [.. new[] { user, address }.Distinct(StringComparer.OrdinalIgnoreCase)];
        return (
            new SieveMessage(header, body.Size, trace.Sender, address, trace.Date),
            new SieveSetting(user, own, trace.HostName, (trace.ClientName, trace.ClientAddress))
            {
                Spam = options.Spam, VacationAtLeast = options.VacationAtLeast, VacationSecondsAtLeast = options.VacationSecondsAtLeast,
            });
    }

    private async ValueTask<SieveResult> RunAsync(
        Target target, AccountFilters filters, SieveMessage message, SieveSetting setting, FilterHost host, CancellationToken cancellationToken)
    {
        var scripts = new List<SieveScript>(3);
        foreach ((ScriptOwner owner, ScriptRef? reference) in new[]
        {
            (ScriptOwner.Of(target.Settings.Tenant), filters.Before), (ScriptOwner.Of(target.Settings.Account), filters.Own), (ScriptOwner.Of(target.Settings.Tenant), filters.After),
        })
        {
            if (reference is not { } script)
                continue;
            if (!_scripts.TryGet(script.Hash, out Compiled compiled))
            {
                // Replaced or gone since it was named: what is there now counts.
                if (await store.SourceAsync(owner, script.Name, cancellationToken).ConfigureAwait(false) is not { } stored)
                    continue;
                compiled = _scripts.Compile(stored);
            }
            if (compiled.Script is null)
                return Kept(message, $"the script '{script.Name}' is not valid any more: {compiled.Problem}");
            scripts.Add(compiled.Script);
        }
        try
        {
            return await SieveInterpreter.RunAsync(scripts, message, setting, host, options.Limits, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not (StoreUnavailableException or OperationCanceledException))
        {
            // A bug of ours must not cost the message.
            LmtpLog.Bug(log, e);
            return Kept(message, $"an error of the server ({e.GetType().Name})");
        }
    }

    private static SieveResult Kept(SieveMessage message, string failure) => new([new FileInto(message.Header, null, [])], [], failure);

    private async ValueTask NoteAsync(AccountSettings account, string failure, CancellationToken cancellationToken)
    {
        LmtpLog.FilterFailed(log, LmtpLog.OneLine(account.User), LmtpLog.OneLine(failure));
        try
        {
            await store.NoteFailureAsync(account.Account, failure, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreUnavailableException)
        {
            // The log has it, and the next failure comes.
        }
    }
}

/// <summary>What became of a message at one account.</summary>
/// <param name="First">Where its first copy is; null: nowhere.</param>
/// <param name="Refusal">Not null: it is refused with this reason (RFC 5429).</param>
/// <param name="Failure">What went wrong with the filter; the message is kept all the same.</param>
/// <param name="TookClaim">The target's claim on the body was taken.</param>
/// <param name="Words">What was done, for the log.</param>
internal sealed record FilterOutcomes(MailError? Error, Placed? First, string? Refusal, string? Failure, bool TookClaim, string Words);
