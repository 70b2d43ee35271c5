using System.Net.Sockets;

namespace MailCluster.Net;

/// <summary>One event loop's part in accepting the connections of a listener.</summary>
internal sealed class Acceptor(Listener listener, PollLoop loop) : IPolled
{
    /// <summary>Connections that are accepted before others on the loop have their turn.</summary>
    private const int InTurn = 16;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private ulong _watched;
    private bool _stopped;

    public void Start(Socket socket) => loop.Execute(() =>
    {
        if (!_stopped)
        {
            _watched = loop.Watch(socket, this, shared: true);
        }
    });

    public Task StopAsync() => loop.SubmitAsync(() =>
    {
        _stopped = true;
        loop.Forget(_watched);
        return true;
    });

    void IPolled.Note(uint events)
    {
        // That somebody waits is all it can say.
    }

    /// <summary>Accepts those who wait. On the loop.</summary>
    public void Run()
    {
        try
        {
            for (int i = 0; i < InTurn; i++)
            {
                if (_stopped || !listener.AcceptOne())
                {
                    return;
                }
            }
            loop.Execute(this);
        }
        catch (Exception exception)
        {
            // Out of file descriptors, or a client that was gone before we looked.
            listener.AcceptFailed(exception);
            loop.Schedule(this, Pause);
        }
    }
}
