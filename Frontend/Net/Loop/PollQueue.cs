using System.Net.Sockets;
using DotNetty.Common.Concurrency;
using DotNetty.Common.Internal;

namespace MailCluster.Net;

/// <summary>A socket that a loop watches.</summary>
internal interface IPolled : IRunnable
{
    /// <summary>Takes note of <see cref="Epoll.Readable"/> and <see cref="Epoll.Ended"/>; <see cref="IRunnable.Run"/> follows, on the loop.</summary>
    void Note(uint events);
}

/// <summary>
/// What an event loop has to do next: what others have put into the queue, and what the sockets of the loop have to say. A loop that asks while there is nothing waits in epoll,
/// so that what a client sends wakes the one thread that reads, parses and answers it. (.NET's own sockets wake a thread for the event, one for the completion and this one:
/// three times the processor time of a NOOP.)
/// </summary>
internal sealed class PollQueue : IQueue<IRunnable>, IDisposable
{
    /// <summary>Tasks that are run before sockets are looked at again.</summary>
    private const int TasksInTurn = 32;

    private readonly IQueue<IRunnable> _tasks = PlatformDependent.NewMpscQueue<IRunnable>();
    private readonly Epoll _epoll = new(most: 64);
    private readonly Dictionary<ulong, IPolled> _sockets = [];
    private readonly Queue<IPolled> _ready = [];
    private ulong _lastId;
    private int _turn;
    private int _asleep;

    /// <summary>How long the loop may wait for events now: zero when it ends, or has a task that is due; infinite otherwise. Set before the loop has any socket.</summary>
    public Func<TimeSpan>? MayWait { get; set; }

    public int Count => _tasks.Count + _ready.Count;

    public bool IsEmpty => _tasks.IsEmpty && _ready.Count == 0;

    /// <summary>Watches a socket from now on; the number under which <see cref="Forget"/> knows it. On the loop.</summary>
    /// <param name="shared">Other loops watch it, too.</param>
    public ulong Watch(Socket socket, IPolled polled, bool shared)
    {
        ulong id = ++_lastId;
        _epoll.Watch(socket.SafeHandle, id, shared);
        _sockets.Add(id, polled);
        return id;
    }

    /// <summary>The socket is being closed. On the loop.</summary>
    public void Forget(ulong id) => _sockets.Remove(id);

    public bool TryEnqueue(IRunnable item)
    {
        bool done = _tasks.TryEnqueue(item);
        // Either this sees that the loop sleeps, or the loop that the queue is not empty.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _asleep) != 0 && Interlocked.Exchange(ref _asleep, 0) != 0)
        {
            _epoll.Wake();
        }
        return done;
    }

    /// <summary>The next task, after a wait where there is none. False only when <see cref="MayWait"/> did not allow more.</summary>
    public bool TryDequeue(out IRunnable item)
    {
        while (true)
        {
            // Tasks first: what was asked for before a client sent something is done before it is read.
            if (_turn < TasksInTurn && _tasks.TryDequeue(out item))
            {
                _turn++;
                return true;
            }
            if (_ready.TryDequeue(out var polled))
            {
                item = polled;
                return true;
            }
            _turn = 0;
            var wait = MayWait?.Invoke() ?? Timeout.InfiniteTimeSpan;
            if (!Poll(wait) && _tasks.IsEmpty && wait != Timeout.InfiniteTimeSpan)
            {
                item = null!;
                return false;
            }
        }
    }

    public bool TryPeek(out IRunnable item) => _tasks.TryPeek(out item);

    public void Clear() => _tasks.Clear();

    public void Dispose() => _epoll.Dispose();

    /// <summary>True when a socket has something to say.</summary>
    private bool Poll(TimeSpan wait)
    {
        Interlocked.Exchange(ref _asleep, 1);
        bool mayWait = wait != TimeSpan.Zero && _tasks.IsEmpty;
        if (!mayWait)
        {
            Volatile.Write(ref _asleep, 0);
        }
        int count = _epoll.Wait(!mayWait ? 0 : wait == Timeout.InfiniteTimeSpan ? -1 : (int)Math.Min(Math.Ceiling(wait.TotalMilliseconds), int.MaxValue));
        Volatile.Write(ref _asleep, 0);
        for (int i = 0; i < count; i++)
        {
            (ulong id, uint events) = _epoll.Event(i);
            // One that was closed meanwhile is not known any more, and 0 is what woke us.
            if (_sockets.TryGetValue(id, out var polled))
            {
                polled.Note(events);
                _ready.Enqueue(polled);
            }
        }
        return _ready.Count > 0;
    }
}
