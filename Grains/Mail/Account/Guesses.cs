using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>
/// Slows down guessing at one account's password: by the same address, and by all addresses together that it never got right from, so that a thousand of them are as slow as one.
/// Whoever logged in here before, or has a session, waits for the failures of his own address only. Any thread.
/// </summary>
internal sealed class Guesses(AccountOptions options, TimeProvider time)
{
    private const int _mostAddresses = 1000;

    /// <summary>Attempts of an address under way at a time that cost nothing: clients open several connections at once.</summary>
    private const int _together = 16;

    /// <summary>Wrong passwords from strangers that are forgiven before all strangers wait.</summary>
    private const int _forgiven = 4;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Line> _lines = [];
    private readonly HashSet<string> _known = [];
    private readonly Line _strangers = new(new Turnstile(options.FirstDelay, options.LongestDelay, _forgiven));

    /// <summary>How many are remembered.</summary>
    internal int Addresses => _lines.Count;

    /// <summary>The account's own user was here before.</summary>
    public bool Knows(string address)
    {
        lock (_gate)
            return _known.Contains(address);
    }

    /// <summary>The account's own user was here before, and nobody has failed or waits at this address.</summary>
    public bool IsFree(string address)
    {
        lock (_gate)
            return _known.Contains(address) && (!_lines.TryGetValue(address, out Line? line) || line.IsFree);
    }

    /// <summary>An address that the user is known to have.</summary>
    public void Learn(string address)
    {
        lock (_gate)
        {
            if (_known.Count < _mostAddresses)
                _known.Add(address);
        }
    }

    /// <summary>Takes a place for one attempt, which ends with <see cref="Ended"/>; null when too many are waiting.</summary>
    public Place? Take(string address)
    {
        lock (_gate)
        {
            Line own = Of(address);
            if (own.Take(Now) is not { } wait)
                return null;
            bool stranger = !_known.Contains(address);
            if (stranger)
            {
                if (_strangers.Take(Now) is not { } longer)
                    return null;
                _strangers.UnderWay++;
                wait = longer > wait ? longer : wait;
            }
            own.UnderWay++;
            return new Place(address, own, stranger, wait);
        }
    }

    /// <param name="right">Null: nothing was found out.</param>
    public void Ended(Place place, bool? right)
    {
        lock (_gate)
        {
            place.Own.Ended(right, Now);
            if (place.Stranger)
                _strangers.Ended(right == true ? null : right, Now);
            if (right == true)
                Learn(place.Address);
        }
    }

    private TimeSpan Now => time.GetElapsedTime(0);

    private Line Of(string address)
    {
        if (_lines.TryGetValue(address, out Line? line))
            return line;
        if (_lines.Count >= _mostAddresses)
        {
            // Strangers have a line of their own besides; what is forgotten here they gain little by.
            foreach (string old in _lines.Where(static l => l.Value.UnderWay == 0).OrderBy(static l => l.Value.Used).Take(_mostAddresses / 2).Select(static l => l.Key).ToList())
                _lines.Remove(old);
        }
        return _lines[address] = new Line(new Turnstile(options.FirstDelay, options.LongestDelay, forgiven: 1));
    }

    /// <summary>One attempt's place.</summary>
    /// <param name="Wait">Before it is checked.</param>
    internal readonly record struct Place(string Address, Line Own, bool Stranger, TimeSpan Wait);

    internal sealed class Line(Turnstile turnstile)
    {
        public int UnderWay;

        public TimeSpan Used => turnstile.Used;

        public bool IsFree => UnderWay == 0 && turnstile.IsFree;

        public TimeSpan? Take(TimeSpan now) => turnstile.Take(now, Math.Max(0, UnderWay - _together));

        public void Ended(bool? right, TimeSpan now)
        {
            UnderWay = Math.Max(0, UnderWay - 1);
            if (right == true)
                turnstile.Clear();
            else if (right == false)
                turnstile.Failed(now);
        }
    }
}
