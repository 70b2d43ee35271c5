namespace MailCluster.Storage.Private;

/// <summary>Where PostgreSQL's server programs (initdb, postgres, pg_ctl) lie on this machine.</summary>
public static class PostgresPrograms
{
    /// <summary>What an operator on Debian runs to get them.</summary>
    public const string HowToInstall = "apt-get install postgresql";

    /// <summary>The directory of the newest installed version that has them, or of exactly <paramref name="version"/>; null where there is none.</summary>
    /// <param name="version">A major version such as "15": that of an existing data directory, which no other version can open.</param>
    public static string? Find(string? version = null)
    {
        var candidates = new List<(double Version, string Directory)>();
        if (Directory.Exists("/usr/lib/postgresql"))
        {
            foreach (var directory in Directory.GetDirectories("/usr/lib/postgresql"))
            {
                if (double.TryParse(Path.GetFileName(directory), out var number) && (version is null || Path.GetFileName(directory) == version))
                {
                    candidates.Add((number, Path.Combine(directory, "bin")));
                }
            }
        }
        candidates.Sort((a, b) => b.Version.CompareTo(a.Version));
        var onPath = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return candidates.Select(c => c.Directory).Concat(version is null ? onPath : []).FirstOrDefault(IsComplete);
    }

    private static bool IsComplete(string directory) =>
        File.Exists(Path.Combine(directory, "initdb")) && File.Exists(Path.Combine(directory, "postgres")) && File.Exists(Path.Combine(directory, "pg_ctl"));
}
