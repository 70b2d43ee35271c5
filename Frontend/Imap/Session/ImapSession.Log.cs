using Microsoft.Extensions.Logging;

namespace MailCluster.Imap.Session;

public sealed partial class ImapSession
{
    private readonly ILogger _log;

    /// <summary>Keeps what a client says of itself with ID, for the log and for administrators: one line, printable characters only, 500 at most.</summary>
    internal void Introduced(IReadOnlyList<KeyValuePair<string, string?>> fields)
    {
        string text = string.Join(' ', fields.Select(static f => $"{f.Key}={f.Value}"));
        _client = new string([.. text.Take(500).Select(static c => char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029' ? '?' : c)]);
        if (_live is { } live)
            live.Client = _client;
        LogId(Connection.SessionId, _client);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "session={Session} client {Client}")]
    private partial void LogId(string session, string client);

    [LoggerMessage(Level = LogLevel.Debug, Message = "session={Session} tag={Tag} {Command} {Status} {Code} {Milliseconds:F1} ms")]
    private partial void LogCommand(string session, string tag, string command, CompletionStatus status, string? code, double milliseconds);

    [LoggerMessage(Level = LogLevel.Error, Message = "session={Session} tag={Tag} {Command} failed")]
    private partial void LogFailed(Exception exception, string session, string tag, string command);
}
