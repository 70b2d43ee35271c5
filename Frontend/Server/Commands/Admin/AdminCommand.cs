using System.CommandLine;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>mailcluster admin</c>: what an operator does to a cluster, running or stopped. It works on the database; nodes are told by it.</summary>
internal static class AdminCommand
{
    public static Command Create() => new("admin", "Administration of a cluster.")
    {
        TenantCommands.Create(), DomainCommands.Create(), AliasCommands.Create(), AccountCommands.Create(), MailboxCommands.Create(),
        SessionCommands.Create(), OperatorCommands.Create(), SieveCommands.Create(), JunkCommands.Create(), NodeCommands.Create(), SchemaCommands.Create(), ClusterCommands.Create(),
    };
}
