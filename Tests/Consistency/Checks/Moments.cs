namespace MailCluster.Consistency.Checks;

/// <summary>Moments in their order, to be counted.</summary>
internal static class Moments
{
    public static long[] Sorted(IEnumerable<long> moments)
    {
        long[] sorted = [.. moments];
        Array.Sort(sorted);
        return sorted;
    }

    /// <summary>How many of them are not after a moment.</summary>
    public static int CountUntil(long[] sorted, long moment)
    {
        int low = 0, high = sorted.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (sorted[middle] <= moment)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
