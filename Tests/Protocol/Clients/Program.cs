using System.Diagnostics;
using System.Text;
using Xunit;

namespace MailCluster.Tests.Protocol.Clients;

/// <summary>A program that others wrote, run to its end.</summary>
internal static class Program
{
    /// <summary>Only against a hang.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Skips the test where the program is missing.</summary>
    public static void Need(string program) => Assert.SkipUnless(Find(program) is not null, $"{program} is not installed.");

    /// <summary>Runs it and returns its exit code and all that it printed, standard output before standard error.</summary>
    /// <param name="program">Its name; the test is skipped where it is not installed.</param>
    /// <param name="arguments">As they are, without a shell.</param>
    /// <param name="input">Its standard input, Latin-1; empty by default.</param>
    /// <param name="environment">Variables besides the inherited ones.</param>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string program, IEnumerable<string> arguments, string input = "", IReadOnlyDictionary<string, string>? environment = null)
    {
        Need(program);
        var start = new ProcessStartInfo(Find(program)!, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = Encoding.Latin1,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it had read everything; its output says why.
        }
        try
        {
            await process.WaitForExitAsync().WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} did not end:\n{await output}{await errors}");
        }
        return (process.ExitCode, await output + await errors);
    }

    /// <summary>As <see cref="RunAsync"/>, where anything but exit code 0 fails the test.</summary>
    public static async Task<string> SucceedAsync(
        string program, IEnumerable<string> arguments, string input = "", IReadOnlyDictionary<string, string>? environment = null)
    {
        (int code, string output) = await RunAsync(program, arguments, input, environment);
        Assert.True(code == 0, $"{program} ended with {code}:\n{output}");
        return output;
    }

    /// <summary>Where it is installed; null: it is not.</summary>
    public static string? Find(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin")
        .Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);
}
