using System.Globalization;

namespace MailCluster.Benchmarks;

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

    /// <summary>Processor time that a process has used so far; zero when it is gone.</summary>
    public static TimeSpan Cpu(int process)
    {
        try
        {
            return System.Diagnostics.Process.GetProcessById(process).TotalProcessorTime;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException)
        {
            return TimeSpan.Zero;
        }
    }

    /// <summary>The backends of a PostgreSQL: children of its postmaster.</summary>
    public static IEnumerable<int> Children(int parent)
    {
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out int process))
                continue;
            string stat;
            try
            {
                stat = File.ReadAllText(Path.Combine(directory, "stat"));
            }
            catch (IOException)
            {
                continue;
            }
            // pid (name) state ppid …
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            if (int.Parse(fields[1], CultureInfo.InvariantCulture) == parent)
                yield return process;
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
