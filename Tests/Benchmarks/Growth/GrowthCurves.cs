using System.Globalization;
using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Report;

namespace MailCluster.Benchmarks.Growth;

/// <summary>What some works cost at some sizes: times of all samples, and processor time of the servers.</summary>
internal sealed class GrowthCurves(string of, int[] sizes)
{
    private readonly List<string> _works = [];
    private readonly Dictionary<(string Work, int Size), (Latencies Times, double Cpu)> _samples = [];

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
    public double? Median(string work, int size) => _samples.TryGetValue((work, size), out var sum) ? sum.Times.Milliseconds(0.5) : null;

    public Table ToTable()
    {
        var table = new Table([$"p50 ms (CPU ms) at {of}", .. sizes.Select(static s => s.ToString("#,0", CultureInfo.InvariantCulture)), "last to first", "CPU, last to first"]);
        foreach (string work in _works)
        {
            (Latencies Times, double Cpu)[] sums = [.. sizes.Select(s => _samples.GetValueOrDefault((work, s)))];
            double[] cpus = [.. sums.Select(static s => s.Times is null ? 0 : s.Cpu * 1000 / s.Times.Count)];
            table.Add([
                work,
                .. sums.Select((s, i) => s.Times is null ? "" : Number(s.Times.Milliseconds(0.5)) + (cpus[i] > 0 ? $" ({Number(cpus[i])})" : "")),
                sums[0].Times is null || sums[^1].Times is null ? "" : Number(sums[^1].Times.Milliseconds(0.5) / sums[0].Times.Milliseconds(0.5)),
                cpus[0] > 0 ? Number(cpus[^1] / cpus[0]) : "",
            ]);
        }
        return table;
    }

    public static string Number(double value) => value.ToString(value >= 100 ? "#,0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);
}
