using System.Diagnostics;

namespace MailCluster.Storage.Private;

/// <summary>Runs PostgreSQL's programs as a user that they accept: they refuse root, so that root runs them as the system user "postgres".</summary>
internal static class PostgresAccount
{
    private const string SystemUser = "postgres";

    public static bool IsRoot { get; } = Environment.UserName == "root" || geteuid() == 0;

    /// <summary>Runs a program to its end.</summary>
    /// <param name="password">For programs that connect to a server: in their environment, where others can't read it.</param>
    /// <returns>Its exit code and all that it printed.</returns>
    public static async Task<(int ExitCode, string Output)> RunAsync(string program, IEnumerable<string> arguments, string? password = null) =>
        IsRoot
            ? await RunPlainAsync("runuser", ["-u", SystemUser, "--", program, .. arguments], password)
            : await RunPlainAsync(program, arguments, password);

    /// <summary>Whether that user can enter the directory, through all of its parents.</summary>
    public static async Task<bool> CanEnterAsync(string directory) =>
        !IsRoot || (await RunAsync("test", ["-x", directory])).ExitCode == 0;

    /// <summary>Hands a file or directory to that user.</summary>
    public static async Task GiveAsync(string path)
    {
        if (IsRoot)
        {
            await RunPlainAsync("chown", [SystemUser + ":", path], null);
        }
    }

    private static async Task<(int ExitCode, string Output)> RunPlainAsync(string program, IEnumerable<string> arguments, string? password)
    {
        // From "/": the user "postgres" may not be able to read the current directory, and its programs complain then.
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        // A desktop user's locale may not exist on the machine; PostgreSQL's own messages stay English, so that logs can be searched.
        start.Environment["LC_ALL"] = "C.UTF-8";
        if (password is not null)
        {
            start.Environment["PGPASSWORD"] = password;
        }
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }

    [System.Runtime.InteropServices.DllImport("libc")]
    private static extern uint geteuid();
}
