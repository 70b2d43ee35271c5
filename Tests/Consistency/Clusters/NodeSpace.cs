using System.Net;

namespace MailCluster.Consistency.Clusters;

/// <summary>A network namespace with one node in it.</summary>
/// <param name="Name">As <c>ip netns</c> knows it.</param>
/// <param name="Address">The node's.</param>
internal sealed record NodeSpace(string Name, IPAddress Address)
{
    /// <summary>What becomes the program that follows it, inside.</summary>
    public IReadOnlyList<string> Enter => ["ip", "netns", "exec", Name];
}
