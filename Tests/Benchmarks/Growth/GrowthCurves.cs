using System.Globalization;
using System.Text.Json;
using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Report;

namespace MailCluster.Benchmarks.Growth;

/// <summary>What some works cost at some sizes: times of all samples, and processor time of the servers.</summary>
internal sealed class GrowthCurves(string of, int[] sizes)
{
    private readonly List<string> _works = [];
    private readonly Dictionary<(string Work, int Size), (Latencies Times, double Cpu)> _samples = [];
    private readonly Dictionary<(string Work, int Size), Point> _earlier = [];

    public IReadOnlyList<string> Works => _works;

    public int[] Sizes => sizes;

    /// <summary>What the sizes count.</summary>
    public string Of => of;

    /// <param name="cpu">Processor seconds of the servers for all of <paramref name="times"/>; 0 where it was not looked at.</param>
    public void Add(string work, int size, Latencies times, double cpu = 0)
    {
        if (!_works.Contains(work))
            _works.Add(work);
        if (!_samples.TryGetValue((work, size), out (Latencies Times, double Cpu) sum))
            sum = (new Latencies(), 0);
        sum.Times.Add(times);
        _samples[(work, size)] = (sum.Times, sum.Cpu + cpu);
    }

    /// <summary>The median, milliseconds; null where nothing was measured.</summary>
    public double? Median(string work, int size) => At(work, size)?.Median;

    /// <summary>What was measured, for a later run over the same database, which can't measure smaller sizes any more.</summary>
    public async Task SaveAsync(string file) =>
        await File.WriteAllTextAsync(file, JsonSerializer.Serialize(_works.SelectMany(w => sizes.Select(s => At(w, s))).OfType<Point>()));

    /// <summary>Takes over what was saved, where there is something.</summary>
    public async Task LoadAsync(string file)
    {
        if (!File.Exists(file))
            return;
        foreach (Point point in JsonSerializer.Deserialize<Point[]>(await File.ReadAllTextAsync(file))!)
        {
            if (!_works.Contains(point.Work))
                _works.Add(point.Work);
            _earlier[(point.Work, point.Size)] = point;
        }
    }

    public Table ToTable()
    {
        var table = new Table([$"p50 ms (CPU ms) at {of}", .. sizes.Select(static s => s.ToString("#,0", CultureInfo.InvariantCulture)), "last to first", "CPU, last to first"]);
        foreach (string work in _works)
        {
            Point?[] points = [.. sizes.Select(s => At(work, s))];
            table.Add([
                work,
                .. points.Select(static p => p is null ? "" : Number(p.Median) + (p.Cpu > 0 ? $" ({Number(p.Cpu)})" : "")),
                points[0] is { } first && points[^1] is { } last ? Number(last.Median / first.Median) : "",
                points[0] is { Cpu: > 0 } little && points[^1] is { Cpu: > 0 } much ? Number(much.Cpu / little.Cpu) : "",
            ]);
        }
        return table;
    }

    private Point? At(string work, int size) => _samples.TryGetValue((work, size), out var sum)
        ? new Point(work, size, sum.Times.Milliseconds(0.5), sum.Cpu * 1000 / sum.Times.Count)
        : _earlier.GetValueOrDefault((work, size));

    public static string Number(double value) => value.ToString(value >= 100 ? "#,0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);

    /// <param name="Median">Milliseconds.</param>
    /// <param name="Cpu">Processor milliseconds of the servers, each time; 0 where nobody looked.</param>
    private sealed record Point(string Work, int Size, double Median, double Cpu);
}
