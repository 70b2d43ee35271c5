namespace MailCluster.Cluster;

/// <summary>
/// How long one command may wait for owners and the store: all its calls together, not each of them. The first second of a call is its own, so that a command of
/// many short calls never runs out of time, and one whose time is over still tries. What a client takes to send a message does not count.
/// For one command at a time.
/// </summary>
/// <param name="ended">Cancelled when the client is gone.</param>
public sealed class CommandWait(CancellationToken ended)
{
    private static readonly TimeSpan _own = TimeSpan.FromSeconds(1);
    private TimeSpan _used;

    public CancellationToken Ended => ended;

    /// <summary>Notes that something took so long.</summary>
    public void Add(TimeSpan waited)
    {
        if (waited > _own)
            _used += waited - _own;
    }

    /// <summary>What a call may wait, of the time that the whole command has.</summary>
    internal TimeSpan Of(TimeSpan most) => most - _used > _own ? most - _used : most < _own ? most : _own;
}
