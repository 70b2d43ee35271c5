using System.Diagnostics;
using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload;

/// <summary>
/// Many clients that work in a few accounts at once, through all front ends, and put all that they did and were told into a <see cref="Recorder"/>.
/// Runs once; then settles.
/// </summary>
internal sealed class Workload : IAsyncDisposable
{
    private readonly WorkloadOptions _options;
    private readonly SessionContext _context;
    private readonly Completions _completions = new();
    private readonly AccountState[] _accounts;
    private readonly Worker[] _workers;

    public Workload(WorkloadOptions options)
    {
        _options = options;
        _context = new SessionContext(options.Recorder, new MailboxRegistry(), Marks.AreRight, options.Silence, _completions);
        _accounts = [.. options.Accounts.Select(a => new AccountState(a.User, a.Password, options.Mailboxes, options.Renaming))];
        _workers = [.. Enumerable.Range(0, options.Clients).Select(n => new Worker(n, options, _context, _accounts[n % _accounts.Length]))];
    }

    /// <summary>Answered commands by kind and outcome.</summary>
    public IReadOnlyDictionary<(string Kind, Outcome Outcome), long> Counts => _completions.Counts;

    /// <summary>Sessions that are logged in now.</summary>
    public int Connected => _workers.Count(static w => w.Connection is { HasEnded: false });

    /// <summary>How long commands took that ended after a moment: what a fault then cost.</summary>
    /// <param name="sinceTicks">As in <see cref="Operation"/>.</param>
    /// <param name="frontEnd">Only of sessions with it (<see cref="SessionFacts.FrontEnd"/>); null: all.</param>
    public Pauses Pauses(long sinceTicks, long untilTicks = long.MaxValue, string? frontEnd = null) => _completions.Between(sinceTicks, untilTicks, frontEnd);

    /// <summary>Makes the accounts' mailboxes, then works until <paramref name="stop"/> fires and every command has its answer, or its connection ended.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        await Task.WhenAll(_accounts.Select((_, i) => PrepareAsync(_workers.ElementAtOrDefault(i))));
        await Task.WhenAll(_workers.Select(w => Task.Run(() => w.RunAsync(stop), CancellationToken.None)));
    }

    /// <summary>Many clients log in at once, as after the loss of a front end, and try again until they are in or <paramref name="bound"/> is over.</summary>
    public Task<StormFigures> StormAsync(int sessions, TimeSpan bound) => Storm.RunAsync(_context, _options.FrontEnds, _accounts, sessions, bound);

    /// <summary>
    /// One more client asks for all bodies of a mailbox, many times in one go, and reads nothing for <paramref name="pause"/>, while others change the mailbox; then all of
    /// it, which must be right as everything else. False where it could not log in or was disconnected.
    /// </summary>
    public Task<bool> SlowClientAsync(TimeSpan pause) =>
        SlowClient.RunAsync(_context, _options.FrontEnds[Random.Shared.Next(_options.FrontEnds.Count)], _accounts[Random.Shared.Next(_accounts.Length)], pause);

    /// <summary>
    /// After all faults are over: every connected session, and a fresh one of each account through each front end for each mailbox, reads everything, as <c>Read("settle")</c>.
    /// </summary>
    /// <returns>What could not be read, in words; empty is well.</returns>
    public async Task<IReadOnlyList<string>> SettleAsync()
    {
        await Task.WhenAll(_workers.Select(static w => w.Connection is { HasEnded: false } session ? Settling.ReadAsync(session) : Task.CompletedTask));
        IEnumerable<Task<string?>> fresh =
            from account in _accounts
            from frontEnd in _options.FrontEnds
            select Settling.ReadAllAsync(_context, account, frontEnd);
        return [.. (await Task.WhenAll(fresh)).OfType<string>()];
    }

    public async ValueTask DisposeAsync()
    {
        foreach (Worker worker in _workers)
        {
            if (worker.Connection is { HasEnded: false } session)
                await session.LeaveAsync();
        }
    }

    private async Task PrepareAsync(Worker? worker)
    {
        if (worker is not null)
            await worker.PrepareAsync();
    }
}
