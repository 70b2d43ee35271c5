using MailCluster.Contracts;
using Microsoft.Extensions.Logging;
using Orleans.Utilities;

namespace MailCluster.Grains;

/// <summary>The front-end processes that hear of a mailbox's changes, and the doors in this process. Nobody is waited for. Any thread.</summary>
internal sealed class MailboxObservers(MailboxKey mailbox, ILocalMailboxes local, ILogger log)
{
    private readonly ObserverManager<IMailboxObserver> _remote = new(MailboxLimits.ObserverLease, log);
    private readonly Lock _gate = new();

    public void Renew(IMailboxObserver observer)
    {
        lock (_gate)
            _remote.Subscribe(observer, observer);
    }

    public void Push(MailboxDelta delta)
    {
#if MUTATIONS
        if (Mutation.DropPush && Mutation.OnceIn(10))
            return;
#endif
        Tell(o => o.Changed(mailbox, delta));
    }

    public void End(MailboxEnd reason)
    {
        local.End(mailbox, reason);
        Tell(o => o.Ended(mailbox, reason));
    }

    // What is told is one way: it is sent when this returns.
    private void Tell(Func<IMailboxObserver, Task> news)
    {
        lock (_gate)
        {
            if (_remote.Count > 0)
                _remote.Notify(news).Ignore();
        }
    }
}
