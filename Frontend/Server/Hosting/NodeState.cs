namespace MailCluster.Server.Hosting;

/// <summary>What the node is doing right now, for /readyz and for whoever must know that it goes down.</summary>
public sealed class NodeState
{
    private volatile bool _serving;
    private volatile bool _draining;

    /// <summary>All doors are open and the cluster was joined.</summary>
    public bool Serving
    {
        get => _serving && !_draining;
        set => _serving = value;
    }

    /// <summary>The node goes down: it takes no new connections.</summary>
    public bool Draining
    {
        get => _draining;
        set => _draining = value;
    }

    /// <summary>The doors that are open, as "name address:port".</summary>
    public IReadOnlyList<string> Doors { get; set; } = [];
}
