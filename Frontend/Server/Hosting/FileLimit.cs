using System.Globalization;

namespace MailCluster.Server.Hosting;

/// <summary>The system's limit of open files (RLIMIT_NOFILE), of which each connection is one.</summary>
internal static class FileLimit
{
    /// <summary>For PostgreSQL, other nodes, HTTP, files and the runtime: without one, the runtime itself may end the process.</summary>
    private const int Others = 512;

    /// <summary>How many connections of clients fit, on all doors together.</summary>
    public static int Connections() => Connections(OperatingSystem.IsLinux() ? File.ReadLines("/proc/self/limits") : []);

    /// <param name="limits">The lines of /proc/self/limits: "Max open files", then the limit that holds, then what it may be raised to.</param>
    internal static int Connections(IEnumerable<string> limits)
    {
        const string Name = "Max open files";
        string? files = limits.FirstOrDefault(static l => l.StartsWith(Name, StringComparison.Ordinal))?[Name.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
        // "unlimited" is no number. Where there are few, most of them are not for clients.
        return int.TryParse(files, NumberStyles.None, CultureInfo.InvariantCulture, out int most) ? Math.Max(most - Others, most / 5) : int.MaxValue;
    }
}
