using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Client;

/// <summary>What one session was told of the messages of one mailbox under one UIDVALIDITY, also while it was not selected. It must never be contradicted.</summary>
internal sealed class MailboxMemory(uint uidValidity)
{
    private readonly Dictionary<uint, (long ModSeq, FlagSet? Flags)> _latest = [];
    private readonly HashSet<uint> _gone = [];

    public uint UidValidity => uidValidity;

    /// <summary>The highest modseq that was told, of the mailbox or of a message.</summary>
    public long HighestModSeq { get; private set; }

    /// <summary>The highest UID that was ever there.</summary>
    public uint HighestUid { get; private set; }

    public bool IsGone(uint uid) => _gone.Contains(uid);

    /// <summary>Null, or what is wrong.</summary>
    public string? TellHighestModSeq(long value)
    {
        long before = HighestModSeq;
        HighestModSeq = Math.Max(before, value);
        return value < before ? $"HIGHESTMODSEQ {value} after {before} was told" : null;
    }

    public void TellUid(uint uid) => HighestUid = Math.Max(HighestUid, uid);

    public void TellGone(uint uid)
    {
        _gone.Add(uid);
        _latest.Remove(uid);
    }

    /// <summary>A FETCH. Null, or what is wrong.</summary>
    public string? Tell(uint uid, long? modSeq, FlagSet? flags)
    {
        TellUid(uid);
        if (_gone.Contains(uid))
            return $"UID {uid} is back after it was told that it is gone";
        if (modSeq is not { } now)
            return null;
        HighestModSeq = Math.Max(HighestModSeq, now);
        (long before, FlagSet? had) = _latest.GetValueOrDefault(uid);
        if (now < before)
            return $"UID {uid} has modseq {now} after it had {before}";
        _latest[uid] = (now, flags ?? (now == before ? had : null));
        return now == before && flags is not null && had is not null && !flags.Equals(had)
            ? $"UID {uid} at modseq {now} has {flags} and had {had}"
            : null;
    }
}
