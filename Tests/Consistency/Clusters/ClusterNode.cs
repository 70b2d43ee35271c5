using System.Net;
using MailCluster.Tests.Support;

namespace MailCluster.Consistency.Clusters;

/// <summary>One node of <see cref="OwnCluster"/>: its configuration, and the process that runs it now.</summary>
/// <param name="role">silo, frontend or all.</param>
/// <param name="space">The network namespace it lives in; null for that of the checker.</param>
internal sealed class ClusterNode(NodeSettings settings, string role, NodeSpace? space)
{
    public string Name => settings.Name;

    public NodeSettings Settings => settings;

    public string Role => role;

    public NodeSpace? Space => space;

    public bool HasDoors => role != "silo";

    public bool HasOwners => role != "frontend";

    public IPAddress Address => space?.Address ?? IPAddress.Loopback;

    public IPEndPoint Imap => new(Address, settings.ImapPort);

    public IPEndPoint Pop3 => new(Address, settings.Pop3Port);

    public IPEndPoint Lmtp => new(Address, settings.LmtpPort);

    public Uri Http => new($"http://{Address}:{settings.HttpPort}");

    /// <summary>Null until it is started for the first time.</summary>
    public ServerProcess? Process { get; set; }

    public bool Runs => Process is { HasExited: false };

    /// <summary>A fault is at this node: its process may end. Taken back at its next start.</summary>
    public bool MayEnd { get; set; }

    public override string ToString() => Name;
}
