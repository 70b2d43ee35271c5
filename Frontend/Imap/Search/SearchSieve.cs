using System.Collections;
using System.Runtime.InteropServices;
using MailCluster.Contracts;

namespace MailCluster.Imap.Search;

/// <summary>Which messages certainly have not the strings that a search looks for, as far as the index knows. Memory: a bit for each message and string.</summary>
internal sealed class SearchSieve
{
    /// <summary>Strings of one search that the index is asked about; the others are looked for in the messages.</summary>
    private const int MaxValues = 16;

    private readonly Dictionary<string, BitArray> _lacking;
    private readonly int[] _positions;

    // For each string where in a group's slices its own are.
    private readonly Dictionary<string, int[]> _slices = [];

    private SearchSieve(Dictionary<string, int[]> values, int messages)
    {
        _positions = [.. values.Values.SelectMany(static p => p).Distinct().Order()];
        foreach ((string value, int[] positions) in values)
            _slices[value] = [.. positions.Select(p => Array.BinarySearch(_positions, p) * SearchGroup.SliceBytes)];
        _lacking = values.Keys.ToDictionary(static v => v, _ => new BitArray(messages));
    }

    /// <summary>Emails that are in no group, sorted: each of them has to be read.</summary>
    public IReadOnlyList<EmailId> Unknown { get; private set; } = [];

    /// <summary>Asks the index; null where it can't know anything that the search asks for.</summary>
    /// <param name="open">Places in the version that are not decided yet.</param>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public static async ValueTask<SearchSieve?> LoadAsync(
        ISearchIndex index, AccountId account, SearchTest test, MailboxSnapshot messages, IReadOnlyList<int> open, CancellationToken cancellationToken)
    {
        var asked = new HashSet<string>(StringComparer.Ordinal);
        test.Strings(asked);
        var values = new Dictionary<string, int[]>(StringComparer.Ordinal);
        foreach (string value in asked)
        {
            if (values.Count < MaxValues && TextSignature.PositionsOf(value) is { } positions)
                values.Add(value, positions);
        }
        if (values.Count == 0)
            return null;
        var sieve = new SearchSieve(values, messages.Count);
        await sieve.FillAsync(index, account, messages, open, cancellationToken).ConfigureAwait(false);
        return sieve;
    }

    /// <summary>True where the message certainly has not the string, in its header or its text.</summary>
    /// <param name="message">Its place in the version.</param>
    public bool Lacks(int message, string value) => _lacking.TryGetValue(value, out BitArray? lacking) && lacking[message];

    private async ValueTask FillAsync(
        ISearchIndex index, AccountId account, MailboxSnapshot messages, IReadOnlyList<int> open, CancellationToken cancellationToken)
    {
        int[] places = [.. open];
        long[] emails = [.. open.Select(i => messages[i].Email.Value)];
        var known = new bool[emails.Length];
        Array.Sort(emails, places);
        await foreach (SearchGroup group in index.ReadAsync(account, _positions, cancellationToken).ConfigureAwait(false))
        {
            foreach ((string value, int[] slices) in _slices)
                Mark(group, May(group, slices), _lacking[value], emails, places, known);
        }
        var unknown = new List<EmailId>();
        for (int i = 0; i < emails.Length; i++)
        {
            // A message may be in a mailbox twice.
            if (!known[i] && (i == 0 || emails[i] != emails[i - 1]))
                unknown.Add(new EmailId(emails[i]));
        }
        Unknown = unknown;
    }

    /// <summary>The group's emails that may have a string: those that are in all of its slices.</summary>
    private static ulong[] May(SearchGroup group, int[] slices)
    {
        var may = new ulong[SearchGroup.SliceBytes / sizeof(ulong)];
        Array.Fill(may, ulong.MaxValue);
        foreach (int slice in slices)
        {
            ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(group.Slices.AsSpan(slice, SearchGroup.SliceBytes));
            for (int i = 0; i < may.Length; i++)
                may[i] &= words[i];
        }
        return may;
    }

    /// <summary>Both lists of emails are sorted: one walk over them.</summary>
    private static void Mark(SearchGroup group, ulong[] may, BitArray lacking, long[] emails, int[] places, bool[] known)
    {
        int at = LowerBound(emails, group.Emails[0]);
        for (int i = 0; i < group.Emails.Length && at < emails.Length; i++)
        {
            while (at < emails.Length && emails[at] < group.Emails[i])
                at++;
            for (; at < emails.Length && emails[at] == group.Emails[i]; at++)
            {
                known[at] = true;
                if ((may[i >> 6] >> i & 1) == 0)
                    lacking[places[at]] = true;
            }
        }
    }

    private static int LowerBound(long[] emails, long first)
    {
        int at = Array.BinarySearch(emails, first);
        if (at < 0)
            return ~at;
        while (at > 0 && emails[at - 1] == first)
            at--;
        return at;
    }
}
