using System.Diagnostics;
using MailCluster.Benchmarks.Targets;

namespace MailCluster.Benchmarks.Measure;

/// <summary>Processor time while something is measured: the server's by part, the generator's, and everything else on the machine.</summary>
internal sealed class Meter
{
    private readonly Target _target;
    private readonly double[] _parts;
    private readonly double _generator;
    private readonly double _machine;
    private readonly long _started;

    private Meter(Target target)
    {
        _target = target;
        (_parts, _generator, _machine) = Look();
        _started = Stopwatch.GetTimestamp();
    }

    public static Meter Start(Target target) => new(target);

    public double Seconds => Stopwatch.GetElapsedTime(_started).TotalSeconds;

    public Usage Stop()
    {
        double seconds = Seconds;
        (double[] parts, double generator, double machine) = Look();
        for (int i = 0; i < parts.Length; i++)
            parts[i] -= _parts[i];
        generator -= _generator;
        double others = Math.Max(0, machine - _machine - generator - parts.Sum());
        (long Proportional, long Private)[] memory = [.. _target.Parts.Select(static p => ProcessTree.Memory(p.Process))];
        return new Usage(seconds, parts, generator, others, memory.Sum(static m => m.Proportional), memory.Sum(static m => m.Private));
    }

    private (double[] Parts, double Generator, double Machine) Look()
    {
        using var self = Process.GetCurrentProcess();
        return ([.. _target.Parts.Select(static p => ProcessTree.CpuSeconds(p.Process))], self.TotalProcessorTime.TotalSeconds, ProcessTree.MachineCpuSeconds());
    }
}

/// <summary>Seconds that passed, and processor seconds that were used in them.</summary>
/// <param name="Parts">Of the target's parts, in their order.</param>
/// <param name="Others">Of processes that have nothing to do with the measurement: where it is large, the figure is not to be trusted.</param>
/// <param name="Proportional">Memory of the target at the end, bytes: shared pages divided among those that have them.</param>
/// <param name="Private">Memory that nobody else has, bytes.</param>
internal sealed record Usage(double Seconds, double[] Parts, double Generator, double Others, long Proportional, long Private)
{
    public double Server => Parts.Sum();

    /// <summary>The part of the machine that the generator took, 0 to 1.</summary>
    public double GeneratorShare => Generator / (Seconds * Environment.ProcessorCount);

    public double OthersShare => Others / (Seconds * Environment.ProcessorCount);
}
