using System.Buffers;
using System.IO.Pipelines;
using DotNetty.Buffers;
using DotNetty.Common.Utilities;
using DotNetty.Transport.Channels;

namespace MailCluster.Net;

/// <summary>
/// The end of a channel's pipeline: copies what arrives into the connection's pipe, whose reader (the session) runs in place, and stops reading from the
/// socket while the pipe holds too much. All of it on the channel's event loop.
/// </summary>
internal sealed class ChannelBridge(Connection connection, PipeWriter input) : ChannelHandlerAdapter
{
    // What a client may still send while we wait for it to close: enough for anything in flight, too little to keep us busy.
    private const long DiscardLimit = 1024 * 1024;

    private bool _flushing;
    private bool _unflushed;
    private bool _discarding;
    private long _discarded;

    public override void ChannelActive(IChannelHandlerContext context)
    {
        connection.Channel.InputEnded = connection.InputEnded;
        EventLoopTask.Run(static state => ((Connection)state!).Start(), connection);
        context.FireChannelActive();
    }

    public override void ChannelRead(IChannelHandlerContext context, object message)
    {
        try
        {
            var bytes = (IByteBuffer)message;
            int count = bytes.ReadableBytes;
            connection.CountReceived(count);
            if (_discarding)
            {
                _discarded += count;
                if (_discarded > DiscardLimit)
                {
                    connection.Abort("the client goes on sending after the end");
                }
                return;
            }
            input.Write(bytes.Array.AsSpan(bytes.ArrayOffset + bytes.ReaderIndex, count));
        }
        finally
        {
            ReferenceCountUtil.Release(message);
        }
        Flush();
    }

    public override void ChannelWritabilityChanged(IChannelHandlerContext context)
    {
        connection.ChannelOutput.WritabilityChanged();
        context.FireChannelWritabilityChanged();
    }

    public override void ChannelInactive(IChannelHandlerContext context)
    {
        connection.ChannelClosed();
        context.FireChannelInactive();
    }

    public override void ExceptionCaught(IChannelHandlerContext context, Exception exception) => connection.Abort("socket: " + exception.Message);

    /// <summary>The pipe, with its reader in place, gets what was written. One flush at a time: while one waits, reading is off, and what still came is flushed after it.</summary>
    private void Flush()
    {
        if (_flushing)
        {
            _unflushed = true;
            return;
        }
        EventLoopTask.Run(static state => ((ChannelBridge)state!).FlushInPlace(), this);
    }

    private void FlushInPlace()
    {
        _flushing = true;
        var flush = input.FlushAsync();
        if (flush.IsCompleted)
        {
            _flushing = false;
            Flushed(flush.GetAwaiter().GetResult());
            return;
        }
        connection.Channel.Read(false);
        _ = ResumeAsync(flush);
    }

    private async Task ResumeAsync(ValueTask<FlushResult> flush)
    {
        var result = await flush.ConfigureAwait(false);
        // The reader has made room, on whatever thread it runs.
        connection.Channel.EventLoop.Execute(() =>
        {
            _flushing = false;
            Flushed(result);
            if (_unflushed)
            {
                _unflushed = false;
                Flush();
            }
            if (!_flushing)
            {
                connection.Channel.Read(true);
            }
        });
    }

    private void Flushed(FlushResult result)
    {
        // The session has ended and nobody reads any more.
        _discarding |= result.IsCompleted;
    }
}
