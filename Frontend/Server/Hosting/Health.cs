using System.Diagnostics;
using Npgsql;
using Orleans.Runtime;

namespace MailCluster.Server.Hosting;

/// <summary>/healthz says that the process runs; /readyz asks everything that a client's command needs, and answers 503 where something is missing.</summary>
internal static class Health
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    public static void MapHealth(this WebApplication app)
    {
        app.MapGet("/healthz", () => Results.Json(new { status = "ok" }));
        app.MapGet("/readyz", async (NodeState state, NpgsqlDataSource database, IGrainFactory grains) =>
        {
            var databaseCheck = CheckAsync(async () =>
            {
                await using var command = database.CreateCommand("SELECT 1");
                await command.ExecuteScalarAsync();
                return "answers";
            });
            var membershipCheck = CheckAsync(async () =>
            {
                var hosts = await grains.GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true);
                return $"{hosts.Count} active";
            });
            var (databaseOk, databaseText, databaseMs) = await databaseCheck;
            var (membershipOk, membershipText, membershipMs) = await membershipCheck;
            var ready = state.Serving && databaseOk && membershipOk;
            return Results.Json(
                new
                {
                    ready,
                    draining = state.Draining,
                    database = new { ok = databaseOk, state = databaseText, ms = databaseMs },
                    membership = new { ok = membershipOk, state = membershipText, ms = membershipMs },
                    listeners = state.Doors,
                },
                statusCode: ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
        });
    }

    private static async Task<(bool Ok, string Text, long Milliseconds)> CheckAsync(Func<Task<string>> check)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            var text = await Task.Run(check).WaitAsync(Patience);
            return (true, text, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }
        catch (Exception e)
        {
            // The kind of failure, not its text: messages of drivers carry addresses and names.
            return (false, e.GetType().Name, (long)Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }
    }
}
