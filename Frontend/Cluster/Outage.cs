using System.Net.Sockets;
using MailCluster.Contracts;
using Orleans.Runtime;
using Orleans.Storage;

namespace MailCluster.Cluster;

/// <summary>Tells outages, whose outcome is unknown and which are tried again, from bugs, which are not.</summary>
internal static class Outage
{
    /// <summary>True when the call may be repeated: the owner, its node, a connection or PostgreSQL was lost on the way.</summary>
    public static bool Is(Exception exception) => exception switch
    {
        // A silo that died with the request: whether it was carried out is not known. Derives from the next one, which means that it was not even begun.
        SiloUnavailableException => true,
        OrleansMessageRejectionException => true,
        TimeoutException => true,
        StoreUnavailableException => true,
        InconsistentStateException => true,
        OrleansConfigurationException or WrappedException or GrainExtensionNotInstalledException or LimitExceededException => false,
        OrleansException => true,
        SocketException or IOException => true,
        // The cluster's client is being started or stopped.
        ObjectDisposedException => true,
        _ => false,
    };
}
