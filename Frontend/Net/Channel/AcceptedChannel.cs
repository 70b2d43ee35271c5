using System.Net.Sockets;
using DotNetty.Buffers;
using DotNetty.Transport.Channels;
using DotNetty.Transport.Channels.Sockets;

namespace MailCluster.Net;

/// <summary>
/// A DotNetty channel of an accepted socket. Where DotNetty closes the whole channel when the peer has ended its side (FIN), this one only stops reading, so that
/// what the peer asked for before is still answered; and it remembers when writing last went forward.
/// </summary>
internal sealed class AcceptedChannel : TcpSocketChannel
{
    private readonly TimeProvider _time;
    private readonly TaskCompletionSource _inputEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _lastWrite;

    public AcceptedChannel(Socket socket, TimeProvider time) : base(null, socket)
    {
        _time = time;
        SetState(StateFlags.Active);
        CacheLocalAddress();
        CacheRemoteAddress();
    }

    /// <summary>Called once, on the event loop, when the peer has ended its side.</summary>
    public Action? InputEnded { get; set; }

    /// <summary>Completes when the peer has ended its side.</summary>
    public Task WhenInputEnds => _inputEnd.Task;

    /// <summary>The peer has ended its side; reading must not be switched on again.</summary>
    public bool HasInputEnded { get; private set; }

    /// <summary>Timestamp of the last time the socket took bytes or a first write was tried.</summary>
    public long LastWrite => Volatile.Read(ref _lastWrite);

    /// <summary>Starts or stops reading from the socket. Any thread.</summary>
    public void Read(bool on)
    {
        if (!on || !HasInputEnded)
        {
            Configuration.AutoRead = on;
        }
    }

    protected override int DoReadBytes(IByteBuffer byteBuf)
    {
        int count = base.DoReadBytes(byteBuf);
        if (count >= 0 || !Socket.Connected || HasInputEnded)
        {
            return count;
        }
        HasInputEnded = true;
        Configuration.AutoRead = false;
        // Not from in here: the read loop around this call still holds its buffer.
        EventLoop.Execute(static channel => ((AcceptedChannel)channel).InputEnded?.Invoke(), this);
        _inputEnd.TrySetResult();
        return 0;
    }

    /// <summary>Called for the first write, and again each time the socket has taken what it was given.</summary>
    protected override void DoWrite(ChannelOutboundBuffer input)
    {
        Volatile.Write(ref _lastWrite, _time.GetTimestamp());
        base.DoWrite(input);
    }
}
