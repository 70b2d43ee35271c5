using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Hosting;

/// <summary>
/// Carries what administrators change to the sessions of this front end, within a moment: a new password, log-in off, an account renamed or
/// deleted, or their word alone, ends sessions; the account's owner forgets what it remembered.
/// </summary>
internal sealed partial class DirectoryWatch(DirectoryEvents events, DirectoryStore directory, MailClusterClient cluster, ILogger<DirectoryWatch> log) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        await foreach (var e in events.ReadAsync(stoppingToken))
        {
            try
            {
                await HandleAsync(e);
            }
            catch (Exception failure) when (failure is StoreUnavailableException or TimeoutException or OrleansException)
            {
                // The connection for events is about to be lost as well; when it is back, everything is looked at.
                NotHandled(log, e.Kind, failure.Message);
            }
        }
    }

    private async Task HandleAsync(DirectoryEvent e)
    {
        if (e.Kind == DirectoryEventKind.Kick)
        {
            var filter = e.Sessions ?? new();
            Ended(log, e.Kind, cluster.Sessions.Kick(
                s => Fits(s, e) && (filter.SessionId is null || s.Id == filter.SessionId) && (filter.Address is null || s.Actor.Address == filter.Address)
                    && (filter.Node is null || cluster.Options.FrontEnd == filter.Node),
                "Closed by the administrator."));
            return;
        }
        // Of a whole tenant, or of all that may have changed unseen, those matter that have sessions here.
        var accounts = e.Account is { } one ? [one] : cluster.Sessions.All.Where(s => Fits(s, e)).Select(s => s.Account).Distinct().ToArray();
        foreach (var account in accounts)
        {
            await cluster.Account(account).Changed();
            var reason = e.Kind switch
            {
                DirectoryEventKind.Password => "The password was changed.",
                DirectoryEventKind.Renamed => "The account has another address now.",
                DirectoryEventKind.Deleted => "The account was deleted.",
                DirectoryEventKind.State or DirectoryEventKind.Missed => await directory.GetAccountAsync(account) is { Login: true } ? null : "Log-in was switched off.",
                _ => null,
            };
            if (reason is not null)
            {
                Ended(log, e.Kind, cluster.Sessions.Kick(account, reason));
            }
        }
    }

    private static bool Fits(LiveSession session, DirectoryEvent e) =>
        (e.Account is not { } account || session.Account == account) && (e.Tenant is not { } tenant || session.Settings.Tenant == tenant);

    [LoggerMessage(LogLevel.Information, "{Kind}: {Count} sessions are ended")]
    private static partial void Ended(ILogger log, DirectoryEventKind kind, int count);

    [LoggerMessage(LogLevel.Warning, "{Kind} could not be followed: {Reason}")]
    private static partial void NotHandled(ILogger log, DirectoryEventKind kind, string reason);
}
