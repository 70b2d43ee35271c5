using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Net;
using MailCluster.Pop3.Commands;
using MailCluster.Pop3.Wire;
using Microsoft.Extensions.Logging;

namespace MailCluster.Pop3.Session;

internal sealed partial class Pop3Session
{
    private readonly ILogger _log;

    /// <summary>The answer to the running command was -ERR.</summary>
    private bool _failed;

    private async ValueTask HandleAsync(CommandLine command)
    {
        if (KickReason is { } reason)
        {
            End(ErrorCodes.Temporary, reason);
            return;
        }
        CommandRow? row = CommandTable.Find(command.Keyword);
        long start = Services.Time.GetTimestamp();
        Wait = new CommandWait(Gone);
        (int bad, _failed) = (_badInARow, false);
        await RunAsync(row, command.Argument);
        if (_badInARow == bad)
            _badInARow = 0;
        double seconds = Services.Time.GetElapsedTime(start).TotalSeconds;
        string name = row?.Keyword ?? "unknown";
        Pop3Metrics.Commands.Record(seconds, new("command", name), new("result", _failed ? "err" : "ok"));
        LogCommand(Connection.SessionId, name, _failed ? "-ERR" : "+OK", seconds * 1000);
    }

    private async ValueTask RunAsync(CommandRow? row, string argument)
    {
        if (row is null)
        {
            Bad("Unknown command");
            return;
        }
        if (argument.Length > 0 && !row.TakesArgument)
        {
            Bad($"{row.Keyword} takes no argument");
            return;
        }
        try
        {
            if (row.Run(this, State, argument) is { } running)
                await running;
            else
                Bad(State is Transaction ? "Not after a log-in" : "Log in first");
        }
        catch (StoreUnavailableException)
        {
            Err(ErrorCodes.Temporary, "The mail store can't be reached now, try again later");
        }
        catch (OperationCanceledException) when (Gone.IsCancellationRequested)
        {
            // The client went away in the middle of it.
            State = new Ended();
        }
        catch (Exception e) when (e is not ConnectionClosedException)
        {
            LogFailed(e, Connection.SessionId, row.Keyword);
            Err(ErrorCodes.Temporary, "An internal error happened, it was logged");
        }
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "session={Session} {Command} {Status} {Milliseconds:F1} ms")]
    private partial void LogCommand(string session, string command, string status, double milliseconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "session={Session} {Command} failed")]
    private partial void LogFailed(Exception exception, string session, string command);
}
