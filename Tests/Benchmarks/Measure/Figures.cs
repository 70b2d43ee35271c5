using MailCluster.Benchmarks.Load;

namespace MailCluster.Benchmarks.Measure;

/// <summary>What a work's headline figure is.</summary>
internal sealed record Unit(string Text, bool MoreIsBetter)
{
    public static readonly Unit PerSecond = new("/s", true);
    public static readonly Unit Megabytes = new("MB/s", true);
    public static readonly Unit Milliseconds = new("ms", false);

    /// <summary>Of the server, for each command.</summary>
    public static readonly Unit CpuMilliseconds = new("CPU ms", false);

    /// <summary>A time as a multiple of what it is when nothing else happens.</summary>
    public static readonly Unit TimesQuiet = new("× quiet", false);

    /// <summary>For each connection.</summary>
    public static readonly Unit Kilobytes = new("KB", false);

    /// <summary>Of memory that a process takes.</summary>
    public static readonly Unit MegabytesKept = new("MB", false);
}

/// <summary>One run of one work against one target.</summary>
/// <param name="Value">In the work's unit.</param>
internal sealed record Figures(double Value, long Commands, Latencies Latencies, Usage Usage)
{
    public double P50 => Latencies.Milliseconds(0.5);

    public double P99 => Latencies.Milliseconds(0.99);

    /// <summary>The headline figure of a run.</summary>
    public static Figures Of(Unit unit, long commands, long octets, Latencies latencies, Usage usage)
    {
        double value = unit switch
        {
            _ when unit == Unit.PerSecond => commands / usage.Seconds,
            _ when unit == Unit.Megabytes => octets / usage.Seconds / 1e6,
            _ when unit == Unit.Milliseconds => latencies.Milliseconds(0.5),
            _ when unit == Unit.CpuMilliseconds => usage.Server * 1000 / Math.Max(commands, 1),
            _ => throw new ArgumentOutOfRangeException(nameof(unit), unit.Text, "A work of this unit makes its own figure."),
        };
        return new Figures(value, commands, latencies, usage);
    }
}
