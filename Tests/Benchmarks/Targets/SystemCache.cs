using System.Diagnostics;

namespace MailCluster.Benchmarks.Targets;

/// <summary>What the kernel keeps of files in memory.</summary>
internal static class SystemCache
{
    private const string Control = "/proc/sys/vm/drop_caches";

    /// <summary>Lets all of it go, for everybody on the machine.</summary>
    /// <exception cref="InvalidOperationException">Only root may, and not in every container.</exception>
    public static async Task DropAsync()
    {
        using (Process sync = Process.Start("sync"))
            await sync.WaitForExitAsync();
        try
        {
            // Pages, and what is known of files and directories (proc(5)).
            await File.WriteAllTextAsync(Control, "3\n");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidOperationException($"The system's caches can't be emptied here ({Control}): {e.Message}", e);
        }
    }
}
