using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MailCluster.Net;

/// <summary>Linux's epoll(7): which of many sockets have something to read. What they say comes once for each change (EPOLLET), until the socket is closed.</summary>
internal sealed class Epoll : IDisposable
{
    /// <summary>Something can be read.</summary>
    public const uint Readable = 0x1;

    /// <summary>The peer has ended its side, the connection broke, or both: EPOLLRDHUP, EPOLLERR, EPOLLHUP.</summary>
    public const uint Ended = 0x2000 | 0x8 | 0x10;

    private const uint EdgeTriggered = 1u << 31;
    private const uint Exclusive = 1u << 28;
    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int Add = 1;
    private const int Interrupted = 4;

    // struct epoll_event is packed on x86 and x64 alone.
    private static readonly bool Packed = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86;
    private static readonly int EventSize = Packed ? 12 : 16;
    private static readonly int DataOffset = Packed ? 4 : 8;
    private static readonly byte[] One = BitConverter.GetBytes(1L);

    private readonly SafeFileHandle _epoll = Opened(EpollCreate(CloseOnExec));
    private readonly SafeFileHandle _wake = Opened(EventFd(0, CloseOnExec | NonBlocking));
    private readonly byte[] _events;

    /// <param name="most">Events that one <see cref="Wait"/> returns at most.</param>
    public Epoll(int most)
    {
        _events = new byte[most * EventSize];
        Watch(_wake, 0);
    }

    /// <summary>Begins to tell of a socket or file; it ends when that is closed.</summary>
    /// <param name="id">What <see cref="Event"/> calls it; 0 is <see cref="Wake"/>.</param>
    /// <param name="shared">Others watch it, too: one of those that wait is told, and who is busy looks later (EPOLLEXCLUSIVE).</param>
    /// <exception cref="Win32Exception">The kernel refuses: too many are watched.</exception>
    public void Watch(SafeHandle file, ulong id, bool shared = false)
    {
        byte[] bytes = new byte[EventSize];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Readable | (shared ? Exclusive : 0x2000) | EdgeTriggered);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(DataOffset), id);
        if (EpollControl(_epoll, Add, file, bytes) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>Waits for events; their number, 0 when the time is over.</summary>
    /// <param name="milliseconds">-1: without an end.</param>
    public int Wait(int milliseconds)
    {
        int count = EpollWait(_epoll, _events, _events.Length / EventSize, milliseconds);
        if (count < 0 && Marshal.GetLastPInvokeError() is var error and not Interrupted)
        {
            throw new Win32Exception(error);
        }
        return Math.Max(count, 0);
    }

    /// <summary>One of the events of the last <see cref="Wait"/>.</summary>
    public (ulong Id, uint What) Event(int index)
    {
        var bytes = _events.AsSpan(index * EventSize, EventSize);
        return (BinaryPrimitives.ReadUInt64LittleEndian(bytes[DataOffset..]), BinaryPrimitives.ReadUInt32LittleEndian(bytes));
    }

    /// <summary>Ends the running or else the next <see cref="Wait"/>. Any thread; without effect once this is disposed of.</summary>
    public void Wake()
    {
        try
        {
            // Each write is a change, also when nobody has read the one before.
            _ = Write(_wake, One, One.Length);
        }
        catch (ObjectDisposedException)
        {
            // Nobody waits any more.
        }
    }

    public void Dispose()
    {
        _wake.Dispose();
        _epoll.Dispose();
    }

    private static SafeFileHandle Opened(int descriptor) =>
        descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw new Win32Exception(Marshal.GetLastPInvokeError());

    [DllImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    private static extern int EpollCreate(int flags);

    [DllImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static extern int EpollControl(SafeHandle epoll, int operation, SafeHandle file, byte[] what);

    [DllImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    private static extern int EpollWait(SafeHandle epoll, byte[] events, int most, int milliseconds);

    [DllImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static extern int EventFd(uint start, int flags);

    [DllImport("libc", EntryPoint = "write", SetLastError = true)]
    private static extern nint Write(SafeHandle file, byte[] bytes, nint count);
}
