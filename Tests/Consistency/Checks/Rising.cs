using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>A number that only rises: what is known of it from readings. Add first, then ask.</summary>
internal sealed class Rising
{
    private readonly List<(long At, long Value, Operation By)> _told = [];
    private bool _isSorted;

    public void Add(long at, long value, Operation by)
    {
        _told.Add((at, value, by));
        _isSorted = false;
    }

    /// <summary>The largest value that was told before a moment, and by whom; null: none was.</summary>
    public (long Value, Operation By)? Before(long moment)
    {
        Sort();
        int n = FirstIndex(t => t.At >= moment);
        return n == 0 ? null : (_told[n - 1].Value, _told[n - 1].By);
    }

    /// <summary>The earliest moment at which it was told that the number had reached a value.</summary>
    public Proof Reached(long value)
    {
        Sort();
        int n = FirstIndex(t => t.Value >= value);
        return n == _told.Count ? Proof.Never : new Proof(_told[n].At, _told[n].By);
    }

    /// <summary>Sorts by time and keeps what is larger than all before it.</summary>
    private void Sort()
    {
        if (_isSorted)
            return;
        _told.Sort(static (a, b) => a.At.CompareTo(b.At));
        int kept = 0;
        for (int i = 0; i < _told.Count; i++)
        {
            if (kept == 0 || _told[i].Value > _told[kept - 1].Value)
                _told[kept++] = _told[i];
        }
        _told.RemoveRange(kept, _told.Count - kept);
        _isSorted = true;
    }

    private int FirstIndex(Predicate<(long At, long Value, Operation By)> holds)
    {
        int low = 0, high = _told.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (holds(_told[middle]))
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }
}
