using Microsoft.Extensions.Logging;

namespace MailCluster.Imap.Session;

public sealed partial class ImapSession
{
    private readonly ILogger _log;

    /// <summary>What a client says of itself with ID, in one line, printable characters only.</summary>
    internal void LogClient(IReadOnlyList<KeyValuePair<string, string?>> fields)
    {
        if (!_log.IsEnabled(LogLevel.Information))
            return;
        string text = string.Join(' ', fields.Select(static f => $"{f.Key}={f.Value}"));
        LogId(Connection.SessionId, new string([.. text.Take(500).Select(static c => char.IsControl(c) || c is '\u2028' or '\u2029' ? '?' : c)]));
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "session={Session} client {Client}")]
    private partial void LogId(string session, string client);

    [LoggerMessage(Level = LogLevel.Debug, Message = "session={Session} tag={Tag} {Command} {Status} {Code} {Milliseconds:F1} ms")]
    private partial void LogCommand(string session, string tag, string command, CompletionStatus status, string? code, double milliseconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "session={Session} tag={Tag} {Command} failed")]
    private partial void LogFailed(Exception exception, string session, string tag, string command);
}
