using System.Diagnostics;

namespace MailCluster.Consistency.Workload;

/// <summary>An account as all its clients know it. Thread-safe.</summary>
internal sealed class AccountState(string user, string password, IReadOnlyList<string> mailboxes, TimeSpan renaming)
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _names = ["INBOX", .. mailboxes];
    private readonly SemaphoreSlim _naming = new(1, 1);
    private long _notBefore = Stopwatch.GetTimestamp();

    public string User => user;

    public string Password => password;

    /// <summary>The mailboxes that are there, as far as is known.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_gate)
                return [.. _names.Order(StringComparer.Ordinal)];
        }
    }

    /// <summary>Which names mailboxes may have at all, besides INBOX.</summary>
    public IReadOnlyList<string> Possible { get; } = [.. mailboxes, "white"];

    public void Appeared(string name)
    {
        lock (_gate)
            _names.Add(name);
    }

    public void Disappeared(string name)
    {
        lock (_gate)
        {
            if (Possible.Contains(name))
                _names.Remove(name);
        }
    }

    /// <summary>
    /// Runs <paramref name="change"/>, which creates, deletes or renames a mailbox, if none was for a while and none is being: one at a time, so that a client can know
    /// which mailbox has a name. The change says whether its outcome is known; if not, the next waits until it has surely happened or failed.
    /// </summary>
    public async Task NameAsync(Func<Task<bool>> change)
    {
        if (Stopwatch.GetTimestamp() < Interlocked.Read(ref _notBefore) || !await _naming.WaitAsync(0))
            return;
        try
        {
            bool isKnown = await change();
            TimeSpan pause = isKnown ? renaming : TimeSpan.FromSeconds(30);
            Interlocked.Exchange(ref _notBefore, Stopwatch.GetTimestamp() + (long)(pause.TotalSeconds * Stopwatch.Frequency));
        }
        finally
        {
            _naming.Release();
        }
    }
}
