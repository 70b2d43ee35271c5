namespace MailCluster.Tests.Support;

/// <summary>
/// Real messages for tests. They are no part of the repository: a folder that MAILCLUSTER_CORPUS names, or "shared/corpus" beside the
/// repository or beside a folder above the test binary.
/// </summary>
public static class Corpus
{
    private static readonly Lazy<string?> Found = new(Find);

    /// <summary>The folder, or null on a machine that has none.</summary>
    public static string? Folder => Found.Value;

    public const string Absent = "No corpus of real messages here (set MAILCLUSTER_CORPUS).";

    /// <summary>The messages' files in a stable order; empty without a corpus.</summary>
    public static IReadOnlyList<string> Files =>
        Folder is { } folder ? [.. Directory.EnumerateFiles(folder, "*.eml").Order(StringComparer.Ordinal)] : [];

    /// <summary>A message as a client would upload it: every lone LF made a CRLF.</summary>
    public static byte[] Read(string file) => WithCrLf(File.ReadAllBytes(file));

    public static byte[] WithCrLf(ReadOnlySpan<byte> bytes)
    {
        var output = new List<byte>(bytes.Length + bytes.Length / 32);
        for (var i = 0; i < bytes.Length; i++)
        {
            if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r'))
                output.Add((byte)'\r');
            output.Add(bytes[i]);
        }
        return [.. output];
    }

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("MAILCLUSTER_CORPUS") is { Length: > 0 } named)
            return Directory.Exists(named) ? named : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var candidate = Path.Combine(folder.FullName, "shared", "corpus");
            if (Directory.Exists(candidate))
                return candidate;
        }
        return null;
    }
}
