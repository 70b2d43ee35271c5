using System.Diagnostics;

namespace MailCluster.Benchmarks.Load;

/// <summary>How long things took, in buckets 2 % apart, so that millions cost nothing to keep. Not thread safe: one a connection, merged at the end.</summary>
internal sealed class Latencies
{
    private const int PerDoubling = 32;

    private readonly int[] _buckets = new int[64 * PerDoubling];

    public long Count { get; private set; }

    /// <param name="ticks">Of <see cref="Stopwatch"/>.</param>
    public void Add(long ticks)
    {
        _buckets[(int)(Math.Log2(Math.Max(ticks, 1)) * PerDoubling)]++;
        Count++;
    }

    public void Add(Latencies others)
    {
        for (int i = 0; i < _buckets.Length; i++)
            _buckets[i] += others._buckets[i];
        Count += others.Count;
    }

    /// <summary>The time that this part (0 to 1) did not exceed, milliseconds; 0 where nothing was added.</summary>
    public double Milliseconds(double part)
    {
        long left = (long)Math.Ceiling(part * Count);
        for (int i = 0; i < _buckets.Length; i++)
        {
            left -= _buckets[i];
            if (left <= 0 && _buckets[i] > 0)
                return Math.Pow(2, (i + 0.5) / PerDoubling) * 1000 / Stopwatch.Frequency;
        }
        return 0;
    }
}
