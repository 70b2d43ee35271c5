using System.Diagnostics;
using System.Security.Cryptography;
using Xunit;

namespace MailCluster.Tests.Fuzz;

/// <summary>
/// Mutated inputs for some seconds (MAILCLUSTER_FUZZ_SECONDS, for each target), of one seed, so that a change is not judged by chance; `./mailcluster fuzz` takes another in each run. What fails is cut down and written to Tests/Fuzz/Corpus,
/// whose files are run again by every run of the tests.
/// </summary>
public abstract class FuzzTests(Target target)
{
    private const int UsualSeconds = 10;

    [Fact]
    public async Task Mutations()
    {
        foreach (byte[] seed in target.Seeds)
            await target.TryAsync(seed);
        int seconds = int.TryParse(Environment.GetEnvironmentVariable("MAILCLUSTER_FUZZ_SECONDS"), out int asked) ? asked : UsualSeconds;
        int start = int.TryParse(Environment.GetEnvironmentVariable("MAILCLUSTER_FUZZ_SEED"), out int askedSeed) ? askedSeed : 1;
        var mutator = new Mutator(target.Seeds, target.Words, new Random(start));
        long inputs = 0;
        for (long begun = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(begun).TotalSeconds < seconds; inputs++)
        {
            byte[] input = mutator.Next();
            if (await FailsAsync(target, input) is not { } failure)
                continue;
            byte[] smallest = await CutDownAsync(target, input);
            string file = Path.Combine(SourceFolder(), $"{target.Name}-{Convert.ToHexStringLower(SHA256.HashData(smallest))[..12]}.bin");
            await File.WriteAllBytesAsync(file, smallest);
            Assert.Fail($"Seed {start}, input {inputs}, kept as {file}: {failure}");
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"{target.Name}: {inputs} inputs, seed {start}");
        Assert.True(inputs > 0);
    }

    /// <summary>What failed once.</summary>
    [Fact]
    public async Task Corpus_files()
    {
        foreach (string file in Corpus(target))
        {
            if (await FailsAsync(target, await File.ReadAllBytesAsync(file, TestContext.Current.CancellationToken)) is { } failure)
                Assert.Fail($"{file}: {failure}");
        }
    }

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "Corpus");

    private static IEnumerable<string> Corpus(Target target) =>
        Directory.Exists(Folder) ? Directory.EnumerateFiles(Folder, target.Name + "-*.bin").Order(StringComparer.Ordinal) : [];

    /// <summary>The corpus in the source tree, where a new file belongs; beside the program where there is none.</summary>
    private static string SourceFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "Tests", "Fuzz", "Corpus");
            if (Directory.Exists(candidate))
                return candidate;
        }
        Directory.CreateDirectory(Folder);
        return Folder;
    }

    private static async Task<Exception?> FailsAsync(Target target, byte[] input)
    {
        try
        {
            await target.TryAsync(input);
            return null;
        }
        catch (Exception e)
        {
            return e;
        }
    }

    /// <summary>Leaves out ever smaller pieces as long as it still fails; not for long.</summary>
    private static async Task<byte[]> CutDownAsync(Target target, byte[] input)
    {
        long begun = Stopwatch.GetTimestamp();
        for (int piece = Math.Max(1, input.Length / 2); piece > 0; piece /= 2)
        {
            for (int at = 0; at < input.Length && Stopwatch.GetElapsedTime(begun).TotalSeconds < 20;)
            {
                byte[] less = [.. input[..at], .. input[Math.Min(input.Length, at + piece)..]];
                if (await FailsAsync(target, less) is not null)
                    input = less;
                else
                    at += piece;
            }
        }
        return input;
    }
}

// A class each, so that they run beside one another.
public sealed class DecoderFuzz() : FuzzTests(new DecoderTarget());

public sealed class SessionFuzz() : FuzzTests(new SessionTarget());

public sealed class Pop3Fuzz() : FuzzTests(new Pop3Target());

public sealed class LmtpFuzz() : FuzzTests(new LmtpTarget());

public sealed class MimeFuzz() : FuzzTests(new MimeTarget());

public sealed class SieveFuzz() : FuzzTests(new SieveTarget());

public sealed class ManageSieveFuzz() : FuzzTests(new ManageSieveTarget());
