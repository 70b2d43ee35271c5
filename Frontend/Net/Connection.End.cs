using System.Net;
using System.Net.Sockets;
using DotNetty.Common.Concurrency;
using DotNetty.Transport.Channels;
using Microsoft.Extensions.Logging;

namespace MailCluster.Net;

internal sealed partial class Connection
{
    /// <summary>Gives everything back that the connection has, whatever its session left behind.</summary>
    private async Task EndAsync(bool orderly)
    {
        _sessionEnded = true;
        LoggedIn();
        InputTimeout.Clear();
        try
        {
            bool mayLinger = orderly && await FinishOutputAsync().ConfigureAwait(false);
            await ReleaseAsync().ConfigureAwait(false);
            if (mayLinger && !Channel.HasInputEnded && !_closed.IsCancellationRequested)
            {
                await LingerAsync().ConfigureAwait(false);
            }
        }
        catch (Exception exception)
        {
            LogFailed(_listener.Log, SessionId, Remote, exception);
        }
        _ = Channel.CloseAsync();
        await _channelClosed.Task.ConfigureAwait(false);
        _server.Remove(this, _listener);
    }

    /// <summary>Sends what is left, and close_notify (RFC 8446 section 6.1). False: the client is gone.</summary>
    private async ValueTask<bool> FinishOutputAsync()
    {
        try
        {
            await Output.FlushAsync().ConfigureAwait(false);
            if (_tlsStream is not null)
            {
                await _tlsStream.ShutdownAsync().ConfigureAwait(false);
            }
            await ChannelOutput.FinishAsync().ConfigureAwait(false);
            return true;
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException or SocketException or ChannelException or RejectedExecutionException)
        {
            LogEnded(_listener.Log, SessionId, Remote, exception.Message);
            return false;
        }
    }

    private async ValueTask ReleaseAsync()
    {
        await Input.CompleteAsync().ConfigureAwait(false);
        if (_inflating is not null)
        {
            await _inflating.DisposeAsync().ConfigureAwait(false);
            await _below.Input.CompleteAsync().ConfigureAwait(false);
            _below.Output.Discard();
        }
        if (_tlsStream is not null)
        {
            await _tlsStream.DisposeAsync().ConfigureAwait(false);
            await _pipe.Reader.CompleteAsync().ConfigureAwait(false);
        }
        Output.Discard();
        ChannelOutput.Discard();
    }

    /// <summary>
    /// Ends our side and lets the client end its own. A socket that is closed while unread bytes lie in it sends a reset, and the client's kernel may then
    /// throw our last line away: so what still comes is read and dropped for a while.
    /// </summary>
    private async ValueTask LingerAsync()
    {
        Volatile.Write(ref _endDeadline, _server.Time.GetTimestamp() + _server.Stamps(_listener.Options.LingerTimeout));
        try
        {
            await Channel.ShutdownOutputAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
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
