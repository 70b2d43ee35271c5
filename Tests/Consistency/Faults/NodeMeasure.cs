using System.Globalization;
using MailCluster.Consistency.Clusters;

namespace MailCluster.Consistency.Faults;

/// <summary>What a node's process takes at a moment.</summary>
/// <param name="PrivateMegabytes">Memory of its own, without files (RssAnon).</param>
/// <param name="HeapMegabytes">After the last collection; null before the first.</param>
/// <param name="Timers">That are running: one for each wait of a task.</param>
internal sealed record NodeMeasure(int Process, double PrivateMegabytes, double? HeapMegabytes, int Threads, int? Timers)
{
    private const double _megabyte = 1024 * 1024;

    /// <summary>Null where it does not run.</summary>
    public static async Task<NodeMeasure?> TakeAsync(OwnCluster cluster, ClusterNode node)
    {
        if (!node.Runs)
            return null;
        int process = node.Process!.Id;
        string status;
        try
        {
            status = await File.ReadAllTextAsync($"/proc/{process}/status");
        }
        catch (IOException)
        {
            return null;
        }
        string metrics = await cluster.AskAsync(node, "/metrics") ?? "";
        return new NodeMeasure(process, Field(status, "RssAnon:") / 1024, Sum(metrics, "dotnet_gc_last_collection_heap_size_bytes") / _megabyte,
            (int)Field(status, "Threads:"), (int?)Sum(metrics, "dotnet_timer_count"));
    }

    public override string ToString() =>
        $"{PrivateMegabytes:F0} MB" + (HeapMegabytes is { } heap ? $", heap {heap:F0} MB" : "") + $", {Threads} threads" + (Timers is { } t ? $", {t} timers" : "");

    private static double Field(string status, string name) =>
        status.Split('\n').FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal)) is { } line
            ? double.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)
            : 0;

    // Prometheus' text: name{labels} value [time].
    private static double? Sum(string metrics, string name)
    {
        double? sum = null;
        foreach (string line in metrics.Split('\n'))
        {
            if (line.StartsWith(name, StringComparison.Ordinal) && line[name.Length..] is ['{' or ' ' or '_', ..]
                && line[(line.LastIndexOf('}') + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } words
                && double.TryParse(words[line.Contains('}') ? 0 : 1], NumberStyles.Float, CultureInfo.InvariantCulture, out double value))
                sum = (sum ?? 0) + value;
        }
        return sum;
    }
}
