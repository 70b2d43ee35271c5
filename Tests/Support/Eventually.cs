namespace MailCluster.Tests.Support;

/// <summary>For what no event tells of: another process's state.</summary>
public static class Eventually
{
    // Only against a hang.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>Looks again and again until it is so; an exception while looking means that it is not so yet.</summary>
    /// <param name="what">The sentence of the failure: "The silo was not declared dead".</param>
    public static async Task Async(string what, Func<Task<bool>> isSo)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        using var end = new CancellationTokenSource(Patience);
        Exception? last = null;
        while (true)
        {
            try
            {
                if (await isSo())
                    return;
                last = null;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                last = e;
            }
            try
            {
                await timer.WaitForNextTickAsync(end.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException(what, last);
            }
        }
    }
}
