namespace MailCluster.Cluster;

/// <summary>
/// Slows down guessing at users that do not exist as an account slows down guessing at its password: the first wrong answer comes at once, each further one
/// of the same address for the same name later. Otherwise the second try would tell who exists.
/// </summary>
internal sealed class UnknownUsers(TimeProvider time)
{
    private const int Most = 10_000;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(8);
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromMinutes(15);

    private readonly Dictionary<(string User, string Address), (int Count, long At)> _failures = [];
    private readonly Lock _gate = new();

    /// <summary>Counts a try; how long its answer has to wait.</summary>
    public TimeSpan Failed(string user, string address)
    {
        lock (_gate)
        {
            (string, string) key = (user.Length > 256 ? user[..256].ToLowerInvariant() : user.ToLowerInvariant(), address);
            int before = _failures.TryGetValue(key, out (int Count, long At) known) && time.GetElapsedTime(known.At) < ForgottenAfter ? known.Count : 0;
            if (_failures.Count >= Most)
                _failures.Clear();
            _failures[key] = (before + 1, time.GetTimestamp());
            return before == 0 ? TimeSpan.Zero : TimeSpan.FromTicks(Math.Min(FirstDelay.Ticks << Math.Min(before - 1, 16), LongestDelay.Ticks));
        }
    }
}
