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
    private bool _pausing;
    private bool _failing;

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
        // Each client that arrives meanwhile wakes the loop: that must not make one try, and one line of the log, of each of them.
        if (_pausing)
        {
            return;
        }
        try
        {
            for (int i = 0; i < InTurn; i++)
            {
                if (_stopped || !listener.AcceptOne())
                {
                    return;
                }
                _failing = false;
            }
            loop.Execute(this);
        }
        catch (Exception exception)
        {
            // Out of file descriptors, or a client that was gone before we looked. Told once until one is accepted again.
            if (!_failing)
            {
                listener.AcceptFailed(exception);
            }
            (_failing, _pausing) = (true, true);
            loop.Schedule(GoOn, Pause);
        }
    }

    private void GoOn()
    {
        _pausing = false;
        Run();
    }
}
