namespace MailCluster.Storage;

/// <summary>
/// A query that many ask at once, each for some keys of their own: while one is under way, the keys of all who ask gather for the next. Whoever asks gets an answer that was
/// read after it had asked; a lone asker waits for nobody. Safe for many threads.
/// </summary>
/// <param name="query">Answers for all keys of a round; who asked gets this answer whole.</param>
internal sealed class GatheredQuery<TKey, TAnswer>(Func<IReadOnlyList<TKey>, Task<TAnswer>> query)
{
    private readonly Lock _lock = new();
    private Round? _next;
    private bool _runs;

    /// <summary>The answer for these keys, and for others. Fails as the query does.</summary>
    public Task<TAnswer> AskAsync(IEnumerable<TKey> keys)
    {
        Round round;
        lock (_lock)
        {
            round = _next ??= new Round();
            round.Keys.AddRange(keys);
            if (_runs)
                return round.Answer.Task;
            _runs = true;
        }
        _ = RunAsync();
        return round.Answer.Task;
    }

    private async Task RunAsync()
    {
        while (Next() is { } round)
        {
            try
            {
                round.Answer.SetResult(await query(round.Keys).ConfigureAwait(false));
            }
            catch (Exception e)
            {
                round.Answer.SetException(e);
                // Those who asked may have gone: nobody need look at it.
                _ = round.Answer.Task.Exception;
            }
        }
    }

    private Round? Next()
    {
        lock (_lock)
        {
            Round? round = _next;
            _next = null;
            _runs = round is not null;
            return round;
        }
    }

    private sealed class Round
    {
        public List<TKey> Keys { get; } = [];

        public TaskCompletionSource<TAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
