using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>
/// Log-ins under way and their answers for as long as their callers may ask again: a front end repeats a call without an answer after a few seconds, and the
/// repetition must neither count as a further guess nor wait the delay twice. Used by one activation, one turn at a time.
/// </summary>
internal sealed class LoginAttempts<T>(TimeProvider time)
{
    /// <summary>Longer than a front end repeats a call.</summary>
    private static readonly TimeSpan _kept = TimeSpan.FromSeconds(60);

    private readonly Dictionary<(string Session, long Attempt), (Task<MailResult<T>> Answer, long At)> _attempts = [];
    private long _pruned = time.GetTimestamp();

    /// <summary>Does the work once an attempt. What could not be found out (an outage) is tried anew by the next call.</summary>
    public async ValueTask<MailResult<T>> OnceAsync(LoginRequest request, Func<ValueTask<MailResult<T>>> work)
    {
        // 0: of a node that does not number them.
        if (request.Attempt == 0)
            return await work();
        Prune();
        var key = (request.SessionId, request.Attempt);
        if (_attempts.TryGetValue(key, out var known))
            return await known.Answer;
        // Only the answer is kept, never what it was made from.
        var answer = new TaskCompletionSource<MailResult<T>>();
        _attempts.Add(key, (answer.Task, time.GetTimestamp()));
        try
        {
            MailResult<T> result = await work();
            if (result.Error?.Code == MailErrorCode.Unavailable)
                _attempts.Remove(key);
            answer.SetResult(result);
            return result;
        }
        catch (Exception e)
        {
            _attempts.Remove(key);
            answer.SetException(e);
            _ = answer.Task.Exception;
            throw;
        }
    }

    private void Prune()
    {
        if (time.GetElapsedTime(_pruned) < _kept)
            return;
        _pruned = time.GetTimestamp();
        foreach (var old in _attempts.Where(a => a.Value.Answer.IsCompleted && time.GetElapsedTime(a.Value.At) >= _kept).Select(static a => a.Key).ToList())
            _attempts.Remove(old);
    }
}
