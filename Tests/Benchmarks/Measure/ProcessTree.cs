using System.Globalization;

namespace MailCluster.Benchmarks.Measure;

/// <summary>Processes as /proc shows them: a process and all that descend from it.</summary>
internal static class ProcessTree
{
    private const double TicksPerSecond = 100;

    /// <summary>
    /// Processor seconds that a tree has used, also in children that have ended: what a parent has waited for is in its own account. Only differences mean something.
    /// </summary>
    public static double CpuSeconds(int root)
    {
        double ticks = 0;
        foreach (Stat stat in Tree(root))
            ticks += stat.Ticks;
        return ticks / TicksPerSecond;
    }

    /// <summary>Processor seconds that all processes of the machine have used since it started.</summary>
    public static double MachineCpuSeconds()
    {
        // cpu user nice system idle iowait irq softirq steal …
        string[] fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        long[] values = [.. fields.Skip(1).Take(8).Select(static f => long.Parse(f, CultureInfo.InvariantCulture))];
        return (values[0] + values[1] + values[2] + values[5] + values[6]) / TicksPerSecond;
    }

    /// <summary>Memory of a tree in bytes: proportional (shared pages divided among those that have them) and private.</summary>
    public static (long Proportional, long Private) Memory(int root)
    {
        long proportional = 0, own = 0;
        foreach (Stat stat in Tree(root))
        {
            try
            {
                foreach (string line in File.ReadLines($"/proc/{stat.Process}/smaps_rollup"))
                {
                    if (line.StartsWith("Pss:", StringComparison.Ordinal))
                        proportional += Kilobytes(line) * 1024;
                    else if (line.StartsWith("Private_Clean:", StringComparison.Ordinal) || line.StartsWith("Private_Dirty:", StringComparison.Ordinal))
                        own += Kilobytes(line) * 1024;
                }
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // It has ended, or is somebody else's.
            }
        }
        return (proportional, own);
    }

    /// <summary>The processes that this one has started and that still run.</summary>
    public static IEnumerable<int> Children(int parent) => All().Where(s => s.Parent == parent).Select(static s => s.Process);

    private static List<Stat> Tree(int root)
    {
        Stat[] all = [.. All()];
        ILookup<int, Stat> children = all.ToLookup(static s => s.Parent);
        var tree = new List<Stat>(all.Where(s => s.Process == root));
        for (int i = 0; i < tree.Count; i++)
            tree.AddRange(children[tree[i].Process]);
        return tree;
    }

    private static IEnumerable<Stat> All()
    {
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), out int process))
                continue;
            string text;
            try
            {
                text = File.ReadAllText(Path.Combine(directory, "stat"));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                continue;
            }
            // pid (name) state ppid … ; the name may have blanks. utime, stime, cutime, cstime are the fields 14 to 17 (proc(5)).
            string[] fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            long ticks = 0;
            for (int i = 11; i <= 14; i++)
                ticks += long.Parse(fields[i], CultureInfo.InvariantCulture);
            yield return new Stat(process, int.Parse(fields[1], CultureInfo.InvariantCulture), ticks);
        }
    }

    private static long Kilobytes(string line) => long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    private readonly record struct Stat(int Process, int Parent, long Ticks);
}
