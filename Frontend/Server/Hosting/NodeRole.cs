namespace MailCluster.Server.Hosting;

/// <summary>What a node does.</summary>
public enum NodeRole
{
    /// <summary>Silo and front end in one process: calls between them stay in memory.</summary>
    All,

    /// <summary>Grains only: owns mailboxes, opens no door but HTTP.</summary>
    Silo,

    /// <summary>Doors only: holds no state, reaches the grains through the silos' gateways.</summary>
    Frontend,
}
