using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace MailCluster.Storage;

/// <summary>
/// Lets a thread that waits for PostgreSQL wait in the kernel. Npgsql connects without blocking, so as to know a time-out, and from then on .NET emulates blocking: a read that finds nothing is put into a queue,
/// .NET's event thread is woken by what arrives, and wakes the reader.
/// </summary>
internal static class BlockingSocket
{
    private const int GetFlags = 3;
    private const int SetFlags = 4;
    private const int NonBlocking = 0x800;
    private const int Delete = 2;

    /// <summary>From now on nothing asynchronous may be done with the socket: it would hold the thread that asks, or be forgotten.</summary>
    /// <exception cref="Win32Exception">The kernel refuses.</exception>
    public static void Make(Socket socket)
    {
        SafeSocketHandle handle = socket.SafeHandle;
        int flags = Control(handle, GetFlags, 0);
        if (flags < 0 || Control(handle, SetFlags, flags & ~NonBlocking) < 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        Unwatch(handle);
    }

    /// <summary>Takes the socket from whoever watches it, so that the event thread is not woken for nothing. Linux alone tells who that is; where it doesn't, it is.</summary>
    private static void Unwatch(SafeSocketHandle socket)
    {
        string watched = $"tfd:{socket.DangerousGetHandle(),9} ";
        foreach (string file in Directory.EnumerateFiles("/proc/self/fdinfo"))
        {
            if (int.TryParse(Path.GetFileName(file), out int descriptor) && Tells(file, watched))
            {
                using var epoll = new SafeFileHandle(descriptor, ownsHandle: false);
                _ = EpollControl(epoll, Delete, socket, 0);
            }
        }
    }

    private static bool Tells(string file, string watched)
    {
        try
        {
            return File.ReadLines(file).Any(line => line.StartsWith(watched, StringComparison.Ordinal));
        }
        catch (IOException)
        {
            // Closed meanwhile.
            return false;
        }
    }

    [DllImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static extern int Control(SafeHandle file, int command, int argument);

    [DllImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    private static extern int EpollControl(SafeHandle epoll, int operation, SafeHandle file, nint what);
}
