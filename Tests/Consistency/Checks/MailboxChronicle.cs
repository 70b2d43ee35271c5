using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Checks;

/// <summary>All that a history tells of one mailbox.</summary>
internal sealed class MailboxChronicle(MailboxRef mailbox)
{
    private readonly Dictionary<uint, MessageChronicle> _byUid = [];
    private MessageChronicle[] _sorted = [];

    public MailboxRef Ref => mailbox;

    /// <summary>All names under which it was told.</summary>
    public HashSet<string> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>UIDs below may be older than the history.</summary>
    public uint Baseline { get; set; } = uint.MaxValue;

    /// <summary>It was made in the history.</summary>
    public bool IsNew { get; set; }

    public List<Reading<Listing>> Listings { get; } = [];

    public List<Reading<SeenCounts>> Counts { get; } = [];

    public List<Operation> Stores { get; } = [];

    public List<Operation> Annotates { get; } = [];

    public List<Operation> Expunges { get; } = [];

    /// <summary>Of POP3 sessions.</summary>
    public List<Operation> Removes { get; } = [];

    /// <summary>MOVEs out of it, and REPLACEs of its messages.</summary>
    public List<Operation> Moves { get; } = [];

    public List<Operation> Deletes { get; } = [];

    /// <summary>The UID that comes next, as told.</summary>
    public Rising UidNext { get; } = new();

    public Rising ModSeq { get; } = new();

    /// <summary>By UID; complete once <see cref="Sort"/> was called.</summary>
    public IReadOnlyList<MessageChronicle> Messages => _sorted;

    public MessageChronicle Message(uint uid)
    {
        if (!_byUid.TryGetValue(uid, out MessageChronicle? message))
            _byUid[uid] = message = new MessageChronicle(this, uid);
        return message;
    }

    public MessageChronicle? Find(uint uid) => _byUid.GetValueOrDefault(uid);

    public void Sort()
    {
        _sorted = [.. _byUid.Values];
        Array.Sort(_sorted, static (a, b) => a.Uid.CompareTo(b.Uid));
        Listings.Sort(static (a, b) => a.From.CompareTo(b.From));
        Counts.Sort(static (a, b) => a.From.CompareTo(b.From));
    }

    /// <summary>The messages that were ever there, of a set that may name many more.</summary>
    public IEnumerable<MessageChronicle> Of(UidSet uids)
    {
        foreach (UidRange range in uids)
        {
            for (int i = IndexOf(range.First); i < _sorted.Length && _sorted[i].Uid <= range.Last; i++)
                yield return _sorted[i];
        }
    }

    private int IndexOf(uint uid)
    {
        int low = 0, high = _sorted.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_sorted[middle].Uid < uid)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }
}
