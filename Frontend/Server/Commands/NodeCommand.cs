using System.CommandLine;
using MailCluster.Server.Configuration;
using MailCluster.Server.Hosting;

namespace MailCluster.Server.Commands;

/// <summary><c>mailcluster node</c>: a production node. It prints a line that starts with "ready" when it serves.</summary>
internal static class NodeCommand
{
    public static Command Create()
    {
        var role = new Option<NodeRole>("--role") { Description = "all, silo or frontend", DefaultValueFactory = _ => NodeRole.All };
        var config = new Option<string>("--config") { Description = "the JSON file with the node's options", Required = true };
        var command = new Command("node", "Runs a node of the cluster until SIGTERM or SIGINT.") { role, config };
        command.SetAction(async (parsed, _) =>
        {
            var options = OptionsFile.Load(parsed.GetRequiredValue(config));
            await using var node = await Node.BuildAsync(options, parsed.GetValue(role));
            await node.StartAsync();
            Console.WriteLine($"ready: node {options.Name}, {string.Join(", ", node.Services.GetRequiredService<NodeState>().Doors)}");
            await node.WaitForShutdownAsync();
            return 0;
        });
        return command;
    }
}
