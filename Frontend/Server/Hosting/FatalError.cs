using Orleans.Runtime;

namespace MailCluster.Server.Hosting;

/// <summary>
/// What happens when this silo hears that the others declared it dead, or hits another error that it can't survive: client connections get
/// their last words and are closed, then the process ends. It must not go on: others own its mailboxes by now.
/// </summary>
internal sealed partial class FatalError(IServiceProvider services, ILogger<FatalError> log) : IFatalErrorHandler
{
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);
    private int _seen;

    public bool IsUnexpected(Exception exception) => exception is not OperationCanceledException;

    public void OnFatalException(object? sender, string? context, Exception? exception)
    {
        if (Interlocked.Exchange(ref _seen, 1) != 0)
        {
            return;
        }
#if MUTATIONS
        if (MailCluster.Contracts.Mutation.NoFence)
        {
            return;
        }
#endif
        Ending(log, context ?? "", exception);
        services.GetRequiredService<NodeState>().Draining = true;
        // The doors may hang on the very error: they get a moment, no more.
        Task.Run(() => services.GetRequiredService<Doors>().CloseAsync(LastWords / 2)).Wait(LastWords);
        Environment.Exit(1);
    }

    [LoggerMessage(LogLevel.Critical, "This node ends at once: {Context}")]
    private static partial void Ending(ILogger log, string context, Exception? exception);
}
