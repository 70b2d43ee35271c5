using System.Runtime.InteropServices;

namespace MailCluster.Benchmarks.Report;

/// <summary>What the figures were measured on.</summary>
internal static class Machine
{
    public static string Describe()
    {
        string cpu = Field("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString();
        string memory = Field("/proc/meminfo", "MemTotal") is { } kilobytes ? $"{long.Parse(kilobytes.Split(' ')[0]) >> 20} GB" : "?";
        return $"{Environment.ProcessorCount} × {cpu}, {memory} of memory, {RuntimeInformation.OSDescription}, {FileSystem(Path.GetTempPath())} for all data, generator on the same processors";
    }

    /// <summary>Minutes' average of processes that want to run: above 0 at the start, others are at work.</summary>
    public static string Load() => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    private static string? Field(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim();

    // device mount-point type options …: the longest mount point that the path begins with.
    private static string FileSystem(string path) => File.ReadLines("/proc/mounts").Select(static l => l.Split(' '))
        .Where(m => path.StartsWith(m[1], StringComparison.Ordinal)).MaxBy(static m => m[1].Length) is { } found ? $"{found[2]} ({found[0]})" : "?";
}
