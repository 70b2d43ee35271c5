using MailCluster.Consistency.Client;
using MailCluster.Consistency.Faults;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload;

/// <summary>
/// Many clients that work in a few accounts at once, through all front ends, and put all that they did and were told into a <see cref="Recorder"/>.
/// Runs once; then settles.
/// </summary>
internal sealed class ClientLoad : ILoad, IAsyncDisposable
{
    private readonly WorkloadOptions _options;
    private readonly SessionContext _context;
    private readonly Completions _completions;
    private readonly AccountState[] _accounts;
    private readonly Worker[] _workers;
    private readonly Listener[] _listeners;

    public ClientLoad(WorkloadOptions options)
    {
        _options = options;
        var registry = new MailboxRegistry();
        _completions = new Completions(registry);
        _context = new SessionContext(options.Recorder, registry, Marks.AreRight, options.Silence, _completions);
        _accounts = [.. options.Accounts.Select(a => new AccountState(a.User, a.Password, options.Mailboxes, options.Renaming))];
        _workers = [.. Enumerable.Range(0, options.Clients).Select(n => new Worker(n, options, _context, _accounts[n % _accounts.Length]))];
        _listeners = [.. _accounts.Select((a, i) => new Listener(i, options, _context, a))];
    }

    /// <summary>Answered commands by kind and outcome.</summary>
    public IReadOnlyDictionary<(string Kind, Outcome Outcome), long> Counts => _completions.Counts;

    /// <summary>Sessions that are logged in now.</summary>
    public int Connected => _workers.Count(static w => w.Connection is { HasEnded: false });

    /// <summary>How long commands took that ended after a moment: what a fault then cost.</summary>
    public Delays Since(long moment) => _completions.Between(moment, long.MaxValue, null);

    /// <summary>Of commands that ended between two moments.</summary>
    /// <param name="frontEnd">Only of sessions with it (<see cref="SessionFacts.FrontEnd"/>); null: all.</param>
    public Delays Between(long since, long until, string? frontEnd = null) => _completions.Between(since, until, frontEnd);

    /// <summary>Connections that the server ended, other than with BYE because their mailbox was deleted or took the place of another: clients here do that to each other.</summary>
    public IReadOnlyList<Ended> EndedSince(long moment) => _completions.EndedSince(moment);

    /// <summary>Makes the accounts' mailboxes, then works until <paramref name="stop"/> fires and every command has its answer, or its connection ended.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        await Task.WhenAll(_accounts.Select((_, i) => PrepareAsync(_workers.ElementAtOrDefault(i))));
        Consenting? consenting = _options.Consent is { } consent && _options.Guests.Count > 0 ? new Consenting(_options, consent) : null;
        if (consenting is not null)
            await consenting.ChangeAsync(true);
        if (_options.Shares)
            await Sharing.PrepareAsync(_workers, _accounts, consenting is null ? [] : _options.Guests);
        await Task.WhenAll([consenting is null ? Task.CompletedTask : consenting.RunAsync(stop), .. _workers.Select(w => Task.Run(() => w.RunAsync(stop), CancellationToken.None)), .. _listeners.Select(l => Task.Run(() => l.RunAsync(stop), CancellationToken.None))]);
    }

    /// <summary>Many clients log in at once, as after the loss of a front end, and try again until they are in. Those that are not in time are a violation.</summary>
    public Task<StormFigures> StormAsync(int clients) => Storm.RunAsync(_context, _options.FrontEnds, _accounts, clients);

    /// <summary>
    /// One more client asks for all bodies of a mailbox, many times in one go, and reads nothing for <paramref name="duration"/>, while others change the mailbox; then all of
    /// it, which must be right as everything else.
    /// </summary>
    public Task SlowClientAsync(TimeSpan duration, CancellationToken stop) =>
        SlowClient.RunAsync(_context, _options.FrontEnds[Random.Shared.Next(_options.FrontEnds.Count)], _accounts[Random.Shared.Next(_accounts.Length)], duration, stop);

    /// <summary>
    /// After all faults are over: every connected session, and a fresh one of each account through each front end for each mailbox, reads everything, as <c>Read("settle")</c>.
    /// Then those who listen must have been told of it all.
    /// </summary>
    /// <returns>What could not be read, or was not told, in words; empty is well.</returns>
    public async Task<IReadOnlyList<string>> SettleAsync()
    {
        await Task.WhenAll(_workers.Select(static w => w.Connection is { HasEnded: false } session ? Settling.ReadAsync(session) : Task.CompletedTask));
        IEnumerable<Task<string?>> fresh =
            from account in _accounts
            from frontEnd in _options.FrontEnds
            select Settling.ReadAllAsync(_context, account, frontEnd);
        string?[] unread = await Task.WhenAll(fresh);
        string?[] untold = await Task.WhenAll(_listeners.Select(static l => l.SettleAsync()));
        return [.. unread.Concat(untold).OfType<string>()];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Worker worker in _workers)
        {
            if (worker.Connection is { HasEnded: false } session)
                await session.LeaveAsync();
        }
        foreach (Listener listener in _listeners)
            await listener.LeaveAsync();
    }

    private async Task PrepareAsync(Worker? worker)
    {
        if (worker is not null)
            await worker.PrepareAsync();
    }
}
