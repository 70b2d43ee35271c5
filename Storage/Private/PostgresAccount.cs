using System.Diagnostics;

namespace MailCluster.Storage.Private;

/// <summary>Runs PostgreSQL's programs as a user that they accept: they refuse root, so that root runs them as the system user "postgres".</summary>
internal static class PostgresAccount
{
    private const string SystemUser = "postgres";

    public static bool IsRoot { get; } = Environment.UserName == "root" || geteuid() == 0;

    /// <summary>Runs a program to its end.</summary>
    /// <returns>Its exit code and all that it printed.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken = default) =>
        IsRoot
            ? await RunPlainAsync("runuser", ["-u", SystemUser, "--", program, .. arguments], cancellationToken)
            : await RunPlainAsync(program, arguments, cancellationToken);

    /// <summary>Whether that user can enter the directory, through all of its parents.</summary>
    public static async Task<bool> CanEnterAsync(string directory) =>
        !IsRoot || (await RunAsync("test", ["-x", directory])).ExitCode == 0;

    /// <summary>Hands a file or directory to that user.</summary>
    public static async Task GiveAsync(string path)
    {
        if (IsRoot)
        {
            await RunPlainAsync("chown", [SystemUser + ":", path], default);
        }
    }

    private static async Task<(int ExitCode, string Output)> RunPlainAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        // From "/": the user "postgres" may not be able to read the current directory, and its programs complain then.
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        // A desktop user's locale may not exist on the machine; PostgreSQL's own messages stay English, so that logs can be searched.
        start.Environment["LC_ALL"] = "C.UTF-8";
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        var error = process.StandardError.ReadToEndAsync(cancellationToken);
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, await output + await error);
    }

    [System.Runtime.InteropServices.DllImport("libc")]
    private static extern uint geteuid();
}
