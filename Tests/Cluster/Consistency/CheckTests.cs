using System.Diagnostics;
using MailCluster.Tests.Cluster.Stories;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Cluster.Consistency;

/// <summary>The consistency checker as users run it. In the collection of stories, because it wants the machine for itself.</summary>
[Collection(nameof(NodesCollection))]
public sealed class CheckTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Three_faults_under_load_break_no_promise()
    {
        ServerFixtures.NeedPostgres();
        // However long it takes until each has had its turn.
        (int exitCode, string text) = await RunAsync("--seed", "20", "--seconds", "30", "--faults", "kill-silo,stop-silo,restart-postgres");
        output.WriteLine(text);
        Assert.True(exitCode == 0, text);
        Assert.Matches(@"\ncheck: seed 20, 12 clients, \d+ s, \d{3,} operations, [3-9] faults \(kill-silo, stop-silo, restart-postgres\): no violation\n$", text);
    }

    [Theory]
    [InlineData("There is no fault 'kill-everything'.", "--faults", "kill-everything")]
    [InlineData("--clients 0: a number from 1 to 1000.", "--clients", "0")]
    [InlineData("--front-ends needs --account", "--front-ends", "127.0.0.1:143")]
    [InlineData("--front-ends: 'here' is not HOST:PORT.", "--front-ends", "here", "--account", "a:b")]
    [InlineData("The fault 'kill-silo' lasts as long as it takes", "--faults", "kill-silo:5")]
    [InlineData("Cannot parse argument 'soon'", "--seconds", "soon")]
    public async Task A_bad_option_is_a_sentence(string sentence, params string[] arguments)
    {
        (int exitCode, string text) = await RunAsync(arguments);
        Assert.NotEqual(0, exitCode);
        Assert.Contains(sentence, text, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", text, StringComparison.Ordinal);
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        string program = ServerProcess.Program.Replace("MailCluster.Server", "MailCluster.Consistency", StringComparison.Ordinal);
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await errors + text);
    }
}
