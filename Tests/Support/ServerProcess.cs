using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace MailCluster.Tests.Support;

/// <summary>The built server as a process of its own. It is killed when disposed of.</summary>
public sealed class ServerProcess : IAsyncDisposable
{
    // Only against a hang: a start takes a few seconds, on a machine that is busy with the other tests as well.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly List<(string Text, TaskCompletionSource<string> Seen)> _awaited = [];
    private readonly Task _reading;

    private ServerProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
    }

    /// <summary>The program that the tests run, of the same build configuration as the tests.</summary>
    public static string Program { get; } = FindProgram();

    public int Id => _process.Id;

    /// <summary>All that it printed so far.</summary>
    public string Output
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    public bool HasExited => _process.HasExited;

    /// <summary>Its exit code, once <see cref="WaitForExitAsync"/> has passed.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>Ends when it has ended, however long it lives.</summary>
    public Task Exited => _process.WaitForExitAsync();

    /// <summary>Starts it and returns at once; wait with <see cref="WaitForReadyAsync"/> or <see cref="WaitForExitAsync"/>.</summary>
    /// <param name="command">What is run in place of <see cref="Program"/>, with what stands before the arguments: another build, a program that becomes it.</param>
    public static ServerProcess Start(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, IReadOnlyList<string>? command = null)
    {
        command ??= [Program];
        var start = new ProcessStartInfo(command[0], command.Skip(1).Concat(arguments)) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{Program} did not start.");
        process.StandardInput.Close();
        return new(process);
    }

    /// <summary>Starts it and waits for the line that begins with "ready".</summary>
    public static async Task<ServerProcess> StartReadyAsync(IEnumerable<string> arguments)
    {
        var server = Start(arguments);
        try
        {
            await server.WaitForReadyAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(params string[] arguments)
    {
        await using var server = Start(arguments);
        await server.WaitForExitAsync();
        return (server.ExitCode, server.Output);
    }

    /// <returns>The line that begins with "ready".</returns>
    public Task<string> WaitForReadyAsync() => WaitForLineAsync("\nready");

    /// <summary>Waits for a line that has the text, or had it before; a text that begins with a line feed stands at a line's begin.</summary>
    public async Task<string> WaitForLineAsync(string text)
    {
        var seen = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_output)
        {
            _awaited.Add((text, seen));
            foreach (var line in _output.ToString().Split('\n'))
            {
                Look(line);
            }
        }
        var exited = WaitForExitAsync();
        if (await Task.WhenAny(seen.Task, exited) == exited && !seen.Task.IsCompleted)
        {
            // Its time-out, if that was it.
            await exited;
            throw new InvalidOperationException($"The server ended with {_process.ExitCode} and did not say '{text.Trim()}':\n{Output}");
        }
        return await seen.Task;
    }

    public async Task WaitForExitAsync()
    {
        try
        {
            await _process.WaitForExitAsync().WaitAsync(Patience);
            await _reading.WaitAsync(Patience);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"The server did not end:\n{Output}");
        }
    }

    /// <summary>SIGTERM: it drains and ends.</summary>
    public void Terminate() => Signal(15);

    /// <summary>SIGINT, as Ctrl-C sends it.</summary>
    public void Interrupt() => Signal(2);

    /// <summary>SIGKILL: it dies at once.</summary>
    public void Kill() => Signal(9);

    /// <summary>SIGSTOP: it stands still, its connections stay open.</summary>
    public void Freeze() => Signal(19);

    /// <summary>SIGCONT: it goes on after <see cref="Freeze"/>.</summary>
    public void Thaw() => Signal(18);

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Kill();
        }
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private async Task ReadAsync(StreamReader from)
    {
        while (await from.ReadLineAsync() is { } line)
        {
            lock (_output)
            {
                _output.AppendLine(line);
                Look(line);
            }
        }
    }

    private void Look(string line)
    {
        foreach (var (text, seen) in _awaited)
        {
            if (("\n" + line).Contains(text, StringComparison.Ordinal))
            {
                seen.TrySetResult(line);
            }
        }
    }

    private void Signal(int number)
    {
        if (!_process.HasExited)
        {
            _ = kill(_process.Id, number);
        }
    }

    // .build/bin/MailCluster.Tests.X/debug/ → .build/bin/MailCluster.Server/debug/MailCluster.Server, unless the launcher names another.
    private static string FindProgram()
    {
        if (Environment.GetEnvironmentVariable("MAILCLUSTER_SERVER") is { Length: > 0 } named)
            return named;
        var mine = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd('/'));
        return Path.Combine(mine.Parent!.Parent!.FullName, "MailCluster.Server", mine.Name, "MailCluster.Server");
    }

    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int process, int signal);
}
