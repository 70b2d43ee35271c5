using System.IO.Pipelines;
using MailCluster.Contracts;

namespace MailCluster.Cluster;

/// <summary>
/// How long one command may wait for owners and the store: all its calls together, not each of them. The first second of a call is its own, so that a command of
/// many short calls never runs out of time, and one whose time is over still tries. What a client takes to send a message does not count.
/// For one command at a time.
/// </summary>
/// <param name="ended">Cancelled when the client is gone.</param>
/// <param name="resume">Where the command goes on after a short change that an owner in this process has made; null for a thread of the pool.</param>
public sealed class CommandWait(CancellationToken ended, PipeScheduler? resume = null)
{
    private static readonly TimeSpan _own = TimeSpan.FromSeconds(1);
    private TimeSpan _used;

    public CancellationToken Ended => ended;

    /// <param name="messages">What comes of a change of many takes long to tell: the thread that serves other connections, too, is not the place.</param>
    internal PipeScheduler Resume(long messages) => resume is not null && messages <= MailboxLimits.LengthyChange ? resume : PipeScheduler.ThreadPool;

    /// <summary>Notes that something took so long.</summary>
    public void Add(TimeSpan waited)
    {
        if (waited > _own)
            _used += waited - _own;
    }

    /// <summary>What a call may wait, of the time that the whole command has.</summary>
    internal TimeSpan Of(TimeSpan most) => most - _used > _own ? most - _used : most < _own ? most : _own;
}
