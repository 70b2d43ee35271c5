using System.Net;
using Microsoft.Extensions.Logging;

namespace MailCluster.Net;

internal sealed partial class Connection
{
    /// <summary>
    /// Sends what is left, close_notify and FIN, lets the client close, and closes. A socket that is closed while unread bytes lie in it sends a reset,
    /// and the client's kernel may then throw away our last line: so what still comes is read and dropped for a while.
    /// </summary>
    private async Task EndAsync(bool orderly)
    {
        LoggedIn();
        try
        {
            if (orderly)
            {
                await Output.FlushAsync().ConfigureAwait(false);
                if (_tlsStream is not null)
                {
                    await _tlsStream.ShutdownAsync().ConfigureAwait(false);
                }
                await ChannelOutput.FinishAsync().ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or DotNetty.Transport.Channels.ChannelException or System.Net.Sockets.SocketException)
        {
            orderly = false;
            LogEnded(_listener.Log, SessionId, Remote, exception.Message);
        }
        catch (Exception exception)
        {
            orderly = false;
            LogFailed(_listener.Log, SessionId, Remote, exception);
        }
        await Input.CompleteAsync().ConfigureAwait(false);
        if (_tlsStream is not null)
        {
            await _pipe.Reader.CompleteAsync().ConfigureAwait(false);
            await _tlsStream.DisposeAsync().ConfigureAwait(false);
        }
        Output.Discard();
        ChannelOutput.Discard();
        if (orderly && !Channel.HasInputEnded && !_closed.IsCancellationRequested)
        {
            Volatile.Write(ref _endDeadline, _server.Time.GetTimestamp() + _server.Stamps(_listener.Options.LingerTimeout));
            await LingerAsync().ConfigureAwait(false);
        }
        _ = Channel.CloseAsync();
        await _channelClosed.Task.ConfigureAwait(false);
        _server.Remove(this, _listener);
    }

    private async Task LingerAsync()
    {
        try
        {
            await Channel.ShutdownOutputAsync().ConfigureAwait(false);
        }
        catch (System.Net.Sockets.SocketException)
        {
            return; // The client was faster.
        }
        Channel.Read(true);
        await Task.WhenAny(_channelClosed.Task, Channel.WhenInputEnds).ConfigureAwait(false);
    }

    [LoggerMessage(1, LogLevel.Information, "{Session} {Remote}: closed: {Reason}")]
    private static partial void LogAborted(ILogger logger, string session, IPEndPoint remote, string reason);

    [LoggerMessage(2, LogLevel.Debug, "{Session} {Remote}: ended: {Reason}")]
    private static partial void LogEnded(ILogger logger, string session, IPEndPoint remote, string reason);

    [LoggerMessage(3, LogLevel.Error, "{Session} {Remote}: the session failed")]
    private static partial void LogFailed(ILogger logger, string session, IPEndPoint remote, Exception exception);

    [LoggerMessage(4, LogLevel.Warning, "{Session} {Remote}: a trusted proxy sent no valid PROXY header")]
    private static partial void LogBadProxyHeader(ILogger logger, string session, IPEndPoint remote);
}
