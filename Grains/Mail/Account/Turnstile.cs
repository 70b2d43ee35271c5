namespace MailCluster.Grains;

/// <summary>
/// Attempts of one kind (at an account, from an address): each wrong one makes the next wait longer, and those that wait stand in a line, so that many at once are no faster than
/// one after the other. A line longer than the longest pause takes nobody any more. Used by one activation, one turn at a time.
/// </summary>
/// <param name="first">The first pause; doubled by each further failure.</param>
/// <param name="longest">The longest pause, and the longest wait in the line.</param>
/// <param name="forgiven">Failures that cost nothing.</param>
internal sealed class Turnstile(TimeSpan first, TimeSpan longest, int forgiven)
{
    /// <summary>Failures count half after so long without another.</summary>
    private static readonly TimeSpan _halving = TimeSpan.FromMinutes(15);

    private int _failures;
    private TimeSpan _failedAt;
    private TimeSpan _lastPlace;

    /// <summary>When something last happened here.</summary>
    public TimeSpan Used { get; private set; }

    /// <summary>Nothing has failed since somebody was right.</summary>
    public bool IsFree => _failures == 0;

    /// <summary>Takes a place in the line: how long it has to wait; null when the line is too long.</summary>
    /// <param name="now">Of a clock that only goes forward.</param>
    /// <param name="more">Counted as failures for this place: attempts whose outcome is not known yet.</param>
    public TimeSpan? Take(TimeSpan now, int more = 0)
    {
        Used = now;
        int count = Failures(now) + more - forgiven;
        TimeSpan pause = count < 0 ? TimeSpan.Zero : TimeSpan.FromTicks(Math.Min(first.Ticks << Math.Min(count, 16), longest.Ticks));
        TimeSpan place = (_lastPlace > now && pause > TimeSpan.Zero ? _lastPlace : now) + pause;
        if (place - now > longest)
            return null;
        if (pause > TimeSpan.Zero)
            _lastPlace = place;
        return place - now;
    }

    /// <summary>Counts a failure.</summary>
    public void Failed(TimeSpan now) => (_failures, _failedAt, Used) = (Failures(now) + 1, now, now);

    /// <summary>Takes one failure back that was counted before it was known.</summary>
    public void Forgive() => _failures = Math.Max(0, _failures - 1);

    /// <summary>Somebody was right: the line is empty again.</summary>
    public void Clear() => (_failures, _lastPlace) = (0, TimeSpan.Zero);

    private int Failures(TimeSpan now) => _failures >> (int)Math.Min(30, (now - _failedAt).Ticks / _halving.Ticks);
}
