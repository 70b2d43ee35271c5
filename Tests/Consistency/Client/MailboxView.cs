using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Client;

/// <summary>A message as the client was told of it; null: not told.</summary>
internal readonly record struct Told(FlagSet? Flags, long? ModSeq);

/// <summary>The selected mailbox as its client was told of it: which UID each message number is. Methods that return a text return null, or what is wrong.</summary>
internal sealed class MailboxView(MailboxRef mailbox, string name, bool readOnly, MailboxMemory memory)
{
    // Of each message number its UID, 0 where it was not told, and the UID that it must be above because all up to it were told before it came.
    private readonly List<(uint Uid, uint Above)> _numbers = [];
    private readonly Dictionary<uint, Told> _told = [];

    public MailboxRef Mailbox => mailbox;

    public string Name => name;

    public bool ReadOnly => readOnly;

    public MailboxMemory Memory => memory;

    public int Exists => _numbers.Count;

    /// <summary>UIDONLY (RFC 9586): the numbers here only count; which message is at which is not known, and means nothing.</summary>
    public bool HasNoNumbers { get; set; }

    /// <summary>Everything up to here was told: the modseq to remember for QRESYNC. Null without CONDSTORE.</summary>
    public long? SyncedModSeq { get; set; }

    /// <summary>Every number's UID and flags are known.</summary>
    public bool IsComplete => _numbers.TrueForAll(n => n.Uid != 0 && _told.TryGetValue(n.Uid, out Told told) && told.Flags is not null);

    /// <summary>The UIDs that are known, ascending (but for <see cref="HasNoNumbers"/>).</summary>
    public IEnumerable<uint> Uids => _numbers.Where(static n => n.Uid != 0).Select(static n => n.Uid);

    /// <summary>0 where it was not told.</summary>
    public uint UidAt(int number) => _numbers[number - 1].Uid;

    public int FirstUnknownNumber => _numbers.FindIndex(static n => n.Uid == 0) + 1;

    public int UnknownNumbers => _numbers.Count(static n => n.Uid == 0);

    /// <summary>How many messages went whose UIDs were not known until then, or are not now.</summary>
    public int UnknownGone { get; private set; }

    public Told Of(uint uid) => _told.GetValueOrDefault(uid);

    public bool Has(uint uid) => NumberOf(uid) > 0;

    public int NumberOf(uint uid) => _numbers.FindIndex(n => n.Uid == uid) + 1;

    public string? TellExists(uint exists)
    {
        if (exists < _numbers.Count)
            return $"EXISTS {exists} after {_numbers.Count}, without EXPUNGE";
        if (exists > 10_000_000)
            return $"EXISTS {exists}";
        uint above = memory.HighestUid;
        while (_numbers.Count < exists)
            _numbers.Add((0, above));
        return null;
    }

    /// <summary>EXISTS of SELECT: the messages that are there now may have any UID.</summary>
    public void SetExists(uint exists)
    {
        _numbers.Clear();
        _numbers.AddRange(Enumerable.Repeat((0u, 0u), (int)Math.Min(exists, 10_000_000)));
    }

    /// <summary>The UID at a number.</summary>
    public string? TellUid(uint number, uint uid)
    {
        (uint had, uint above) = _numbers[(int)number - 1];
        if (had == uid)
            return null;
        if (had != 0)
            return $"number {number} is UID {uid} and was UID {had}";
        if (uid <= above)
            return $"number {number} came with UID {uid}, not above {above}, which was told before";
        int before = _numbers.FindLastIndex((int)number - 1, static n => n.Uid != 0);
        if (before >= 0 && _numbers[before].Uid >= uid)
            return $"number {number} is UID {uid}, number {before + 1} UID {_numbers[before].Uid}";
        int after = _numbers.FindIndex((int)number - 1, static n => n.Uid != 0);
        if (after >= 0 && _numbers[after].Uid <= uid)
            return $"number {number} is UID {uid}, number {after + 1} UID {_numbers[after].Uid}";
        _numbers[(int)number - 1] = (uid, above);
        return null;
    }

    /// <summary>A message without its number (UIDFETCH): one of those that EXISTS counts.</summary>
    public string? TellUid(uint uid)
    {
        if (Has(uid))
            return null;
        // The one that came last of those that it can be: what is left can be any other.
        int free = _numbers.FindLastIndex(n => n.Uid == 0 && n.Above < uid);
        if (free < 0)
            return $"UID {uid} is none of the {_numbers.Count} messages that EXISTS told";
        _numbers[free] = (uid, _numbers[free].Above);
        return null;
    }

    /// <summary>Flags and modseq of a message; null: not told now. A new modseq without flags (STORE .SILENT) makes the flags unknown.</summary>
    public void Tell(uint uid, FlagSet? flags, long? modSeq)
    {
        Told had = _told.GetValueOrDefault(uid);
        bool isStale = flags is null && modSeq > (had.ModSeq ?? 0);
        _told[uid] = new Told(isStale ? null : flags ?? had.Flags, modSeq ?? had.ModSeq);
    }

    /// <summary>EXPUNGE (RFC 9051 §7.5.1): the UID that was there, 0 where it was not known; null: no such number.</summary>
    public uint? Remove(uint number)
    {
        if (number == 0 || number > _numbers.Count)
            return null;
        uint uid = _numbers[(int)number - 1].Uid;
        RemoveAt((int)number - 1);
        Forget(uid);
        return uid;
    }

    /// <summary>VANISHED without EARLIER (RFC 7162 §3.2.10).</summary>
    public string? RemoveUid(uint uid)
    {
        int at = _numbers.FindIndex(n => n.Uid == uid);
        if (at < 0 && HasNoNumbers)
        {
            at = _numbers.FindLastIndex(n => n.Uid == 0 && n.Above < uid);
            if (at < 0)
                return $"VANISHED names UID {uid}, which is not in the mailbox";
        }
        else if (at < 0)
        {
            // It can only be one of the numbers without a known UID between its neighbours.
            int next = _numbers.FindIndex(n => n.Uid > uid);
            at = (next < 0 ? _numbers.Count : next) - 1;
            if (at < 0 || _numbers[at].Uid != 0)
                return $"VANISHED names UID {uid}, which is not in the mailbox";
        }
        RemoveAt(at);
        Forget(uid);
        return null;
    }

    /// <summary>What a client knew from before, at SELECT with QRESYNC: numbers in the order of UIDs, and behind them messages not known.</summary>
    public void Seed(IReadOnlyDictionary<uint, Told> messages, int exists)
    {
        _numbers.Clear();
        foreach ((uint uid, Told told) in messages.OrderBy(static m => m.Key))
        {
            _numbers.Add((uid, 0));
            _told[uid] = told;
        }
        uint above = messages.Count == 0 ? 0 : _numbers[^1].Uid;
        while (_numbers.Count < exists)
            _numbers.Add((0, above));
    }

    /// <summary>To be given to a later SELECT with QRESYNC; null unless everything is known.</summary>
    public Remembered? Remember() =>
        SyncedModSeq is { } modSeq && IsComplete ? new Remembered(mailbox, name, memory.UidValidity, modSeq, Uids.ToDictionary(static u => u, Of)) : null;

    public UidSet Members => UidSet.FromUids(Uids.ToList());

    private void RemoveAt(int place)
    {
        if (_numbers[place].Uid == 0)
            UnknownGone++;
        _numbers.RemoveAt(place);
    }

    private void Forget(uint uid)
    {
        if (uid == 0)
            return;
        _told.Remove(uid);
        memory.TellGone(uid);
    }
}

/// <summary>A mailbox as a client remembers it: all of it up to <paramref name="ModSeq"/>, perhaps some of what came later.</summary>
internal sealed record Remembered(MailboxRef Mailbox, string Name, uint UidValidity, long ModSeq, IReadOnlyDictionary<uint, Told> Messages);
