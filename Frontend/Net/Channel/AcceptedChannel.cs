using System.Net.Sockets;
using DotNetty.Buffers;
using DotNetty.Common.Concurrency;
using DotNetty.Transport.Channels;
using DotNetty.Transport.Channels.Sockets;

namespace MailCluster.Net;

/// <summary>
/// A DotNetty channel of an accepted socket. Where DotNetty closes the whole channel when the peer has ended its side (FIN), this one only stops reading, so that
/// what the peer asked for before is still answered; it remembers when writing last went forward; and its loop itself waits for what comes (<see cref="PollQueue"/>).
/// </summary>
internal sealed class AcceptedChannel : TcpSocketChannel, IPolled
{
    // What DotNetty asks of a finished operation: that it went well.
    private static readonly SocketChannelAsyncOperation WentWell = new(null, true);

    private readonly TimeProvider _time;
    private readonly System.Threading.Tasks.TaskCompletionSource _inputEnd = new();
    private long _lastWrite;

    // On the loop alone.
    private ulong _watched;
    private bool _readable;
    private bool _ended;

    public AcceptedChannel(Socket socket, TimeProvider time) : base(null, socket)
    {
        _time = time;
        socket.Blocking = false;
        SetState(StateFlags.Active);
        CacheLocalAddress();
        CacheRemoteAddress();
    }

    /// <summary>Called once, on the event loop, when the peer has ended its side.</summary>
    public Action? InputEnded { get; set; }

    /// <summary>Completes when the peer has ended its side, on the event loop.</summary>
    public Task WhenInputEnds => _inputEnd.Task;

    /// <summary>The peer has ended its side; reading must not be switched on again.</summary>
    public bool HasInputEnded { get; private set; }

    /// <summary>Timestamp of the last time the socket took bytes, or a first write was tried or queued.</summary>
    public long LastWrite => Volatile.Read(ref _lastWrite);

    /// <summary>A first write is about to be queued. Any thread.</summary>
    public void BeginWrite() => Volatile.Write(ref _lastWrite, _time.GetTimestamp());

    /// <summary>Starts or stops reading from the socket. Any thread.</summary>
    public void Read(bool on)
    {
        if (!on || !HasInputEnded)
        {
            Configuration.AutoRead = on;
        }
    }

    /// <summary>The socket has something to read, or has ended.</summary>
    void IPolled.Note(uint events)
    {
        _readable = true;
        _ended |= (events & Epoll.Ended) != 0;
    }

    void IRunnable.Run() => FinishRead();

    /// <summary>A read is wanted: it is done when the socket says that it has something, at once when it has said so before.</summary>
    protected override void ScheduleSocketRead()
    {
        if (_watched == 0)
        {
            _watched = ((PollLoop)EventLoop).Watch(Socket, this);
        }
        else if (_readable)
        {
            EventLoop.Execute(static channel => ((AcceptedChannel)channel).FinishRead(), this);
        }
    }

    private void FinishRead()
    {
        if (IsInState(StateFlags.ReadScheduled))
        {
            ((SocketByteChannelUnsafe)Unsafe).FinishRead(WentWell);
        }
    }

    protected override void DoClose()
    {
        if (_watched != 0)
        {
            ((PollLoop)EventLoop).Forget(_watched);
        }
        base.DoClose();
    }

    protected override int DoReadBytes(IByteBuffer byteBuf)
    {
        int wanted = byteBuf.WritableBytes;
        int count = base.DoReadBytes(byteBuf);
        // Less than there was room for is all there was; the socket says when there is more, but says only once that it has ended.
        _readable = count == wanted || _ended;
        if (count >= 0 || !Socket.Connected || HasInputEnded)
        {
            return count;
        }
        HasInputEnded = true;
        Configuration.AutoRead = false;
        // Not from in here: the read loop around this call still holds its buffer.
        EventLoop.Execute(static channel => EventLoopTask.Run(static self =>
        {
            ((AcceptedChannel)self!).InputEnded?.Invoke();
            ((AcceptedChannel)self)._inputEnd.TrySetResult();
        }, channel), this);
        return 0;
    }

    /// <summary>Called for the first write, and again each time the socket has taken what it was given.</summary>
    protected override void DoWrite(ChannelOutboundBuffer input)
    {
        BeginWrite();
        base.DoWrite(input);
    }
}
