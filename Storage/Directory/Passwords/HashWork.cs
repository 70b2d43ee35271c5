namespace MailCluster.Storage.Directories;

/// <summary>Runs password hashes off the owners' turns, and no more of the expensive ones at a time than the machine has processors: a flood of log-ins waits here, not in memory.</summary>
public static class HashWork
{
    private static readonly SemaphoreSlim _places = new(Math.Max(1, Environment.ProcessorCount));

    /// <summary>On the thread pool. A verifier of our own takes a millisecond and waits for nobody.</summary>
    public static async Task<bool> VerifyAsync(string password, string stored)
    {
        if (!StoredPassword.IsForeign(stored))
            return await Task.Run(() => StoredPassword.Verify(password, stored));
        await _places.WaitAsync();
        try
        {
            return await Task.Run(() => StoredPassword.Verify(password, stored));
        }
        finally
        {
            _places.Release();
        }
    }
}
