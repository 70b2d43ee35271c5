namespace MailCluster.Net;

/// <summary>What talks on a connection: IMAP, LMTP, POP3… One object serves all connections of its listeners and holds no state of any.</summary>
public interface IProtocol
{
    /// <summary>Short lower-case name for logs and metrics: <c>imap</c>, <c>lmtp</c>.</summary>
    string Name { get; }

    /// <summary>
    /// Runs one session, greeting included. When the task ends, what <see cref="IConnection.Output"/> holds is flushed and the connection closes;
    /// when it throws, the exception is logged once and the connection closes without flushing.
    /// It starts on the connection's event loop and resumes there when input arrives, so that a command without I/O needs no thread hop;
    /// an await of anything else continues where that completes. Long computation first does <c>await Task.Yield()</c>, which leaves the event loop; nothing may block.
    /// </summary>
    Task RunAsync(IConnection connection);

    /// <summary>The one line, CRLF included, that tells a client why it is turned away (<c>* BYE too many connections\r\n</c>); null: only close.</summary>
    ReadOnlyMemory<byte>? RefusalLine(RefusalReason reason);
}

/// <summary>Why a connection is turned away before its session starts.</summary>
public enum RefusalReason
{
    /// <summary><see cref="ListenerOptions.MaxConnections"/> is reached.</summary>
    TooManyConnections,

    /// <summary><see cref="ListenerOptions.MaxConnectionsPerAddress"/> is reached for the client's address.</summary>
    TooManyFromAddress,

    /// <summary>The server is draining.</summary>
    ShuttingDown,
}
