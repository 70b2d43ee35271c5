using MailCluster.Contracts;
using Microsoft.Extensions.Logging;
using Orleans.Utilities;

namespace MailCluster.Grains;

/// <summary>The front-end processes that hear of a mailbox's changes, and the doors in this process. Nobody is waited for.</summary>
internal sealed class MailboxObservers(MailboxKey mailbox, ILocalMailboxes local, ILogger log)
{
    private readonly ObserverManager<IMailboxObserver> _remote = new(MailboxLimits.ObserverLease, log);

    public void Renew(IMailboxObserver observer) => _remote.Subscribe(observer, observer);

    public void Push(MailboxDelta delta)
    {
#if MUTATIONS
        if (Mutation.DropPush && Mutation.OnceIn(10))
            return;
#endif
        if (_remote.Count > 0)
            _remote.Notify(o => o.Changed(mailbox, delta)).Ignore();
    }

    public void End(MailboxEnd reason)
    {
        local.End(mailbox, reason);
        if (_remote.Count > 0)
            _remote.Notify(o => o.Ended(mailbox, reason)).Ignore();
    }
}
