using System.IO.Pipelines;
using System.Net.Sockets;
using DotNetty.Common;
using DotNetty.Common.Concurrency;
using DotNetty.Transport.Channels;

namespace MailCluster.Net;

/// <summary>DotNetty's event loop, which waits for its sockets itself.</summary>
internal sealed class PollLoop : SingleThreadEventLoop
{
    private readonly PollQueue _queue;

    public PollLoop(IEventLoopGroup parent) : this(parent, new PollQueue())
    {
    }

    // The thread starts in here, before there is anything else of this object.
    private PollLoop(IEventLoopGroup parent, PollQueue queue) : base(parent, "mail loop", TimeSpan.FromMilliseconds(100), queue)
    {
        _queue = queue;
        queue.MayWait = () => IsShuttingDown ? TimeSpan.Zero : UntilScheduled();
    }

    /// <summary>For session code, <see cref="EventLoopTask"/>. Any thread; a loop that has ended leaves it to the pool.</summary>
    public PipeScheduler Sessions => field ??= new SessionScheduler(this);

    /// <summary>Watches a socket until it is closed; on the loop.</summary>
    /// <param name="shared">Other loops watch it, too.</param>
    public ulong Watch(Socket socket, IPolled polled, bool shared = false) => _queue.Watch(socket, polled, shared);

    /// <summary>The socket is being closed; on the loop.</summary>
    public void Forget(ulong id) => _queue.Forget(id);

    protected override void Cleanup() => _queue.Dispose();

    private TimeSpan UntilScheduled()
    {
        if (ScheduledTaskQueue.Count == 0)
        {
            return Timeout.InfiniteTimeSpan;
        }
        var left = ScheduledTaskQueue.Peek().Deadline - PreciseTimeSpan.FromStart;
        return left.Ticks > 0 ? left.ToTimeSpan() : TimeSpan.Zero;
    }

    private sealed class SessionScheduler(PollLoop loop) : PipeScheduler
    {
        public override void Schedule(Action<object?> action, object? state)
        {
            try
            {
                loop.Execute(static (action, state) => EventLoopTask.Run((Action<object?>)action, state), action, state);
            }
            catch (RejectedExecutionException)
            {
                ThreadPool.Schedule(action, state);
            }
        }
    }
}
