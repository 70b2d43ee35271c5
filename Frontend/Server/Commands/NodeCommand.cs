using System.CommandLine;
using MailCluster.Server.Configuration;
using MailCluster.Server.Hosting;

namespace MailCluster.Server.Commands;

/// <summary><c>mailcluster node</c>: a production node. It prints a line that starts with "ready" when it serves.</summary>
internal static class NodeCommand
{
    public static Command Create()
    {
        var role = NamedOption.Create<NodeRole>("--role", "all (the default), silo or frontend");
        var config = new Option<string>("--config") { Description = "the JSON file with the node's options", Required = true };
        var command = new Command("node", "Runs a node of the cluster until SIGTERM or SIGINT.") { role, config };
        command.SetAction(async (parsed, _) =>
        {
            using var signals = new Signals();
            var options = OptionsFile.Load(parsed.GetRequiredValue(config));
            var nodeRole = parsed.GetValue(role) ?? NodeRole.All;
            await using var node = await Node.BuildAsync(options, nodeRole);
            try
            {
                // A front end may wait long for its first silo; a silo starts fast, and half a start is harder to end than a whole one.
                await node.StartAsync(nodeRole == NodeRole.Frontend ? signals.Stop : CancellationToken.None);
                Console.WriteLine($"ready: node {options.Name}, {string.Join(", ", node.Services.GetRequiredService<NodeState>().Doors)}");
                await Node.RunToEndAsync(node, signals.Stop);
            }
            catch (OperationCanceledException) when (signals.Stop.IsCancellationRequested)
            {
                await node.StopAsync();
            }
            return 0;
        });
        return command;
    }
}
