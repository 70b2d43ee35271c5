using System.Globalization;

namespace MailCluster.Benchmarks.Measure;

/// <summary>Private memory of processes from /proc: what would be free again without them.</summary>
internal sealed class Memory : IAsyncDisposable
{
    private readonly Dictionary<string, long> _peaks = [];
    private readonly Func<IEnumerable<(string Name, int Process)>> _processes;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _watching;

    /// <summary>Watches processes until it is disposed of; asked for anew at each look, since backends come and go.</summary>
    public Memory(Func<IEnumerable<(string Name, int Process)>> processes)
    {
        _processes = processes;
        _watching = Task.Run(WatchAsync);
    }

    /// <summary>The largest value of each name, bytes.</summary>
    public IReadOnlyDictionary<string, long> Peaks => _peaks;

    /// <summary>Anonymous resident memory, bytes; 0 when the process is gone.</summary>
    public static long PrivateBytes(int process)
    {
        try
        {
            string line = File.ReadLines($"/proc/{process}/status").First(static l => l.StartsWith("RssAnon:", StringComparison.Ordinal));
            return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
        catch (Exception e) when (e is IOException or InvalidOperationException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        try
        {
            do
            {
                foreach ((string name, int process) in _processes())
                    _peaks[name] = Math.Max(_peaks.GetValueOrDefault(name), PrivateBytes(process));
            }
            while (await timer.WaitForNextTickAsync(_stop.Token));
        }
        catch (OperationCanceledException)
        {
            // Disposed of.
        }
    }
}
