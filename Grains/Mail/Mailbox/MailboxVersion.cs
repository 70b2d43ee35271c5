using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>The messages of a loaded mailbox, the last steps that led there, and versions that are being copied by front ends.</summary>
internal sealed class MailboxVersion(MailboxSnapshot snapshot)
{
    /// <summary>Steps that are kept, so that a front end that is a little behind need not copy the whole.</summary>
    private const int _kept = 256;

    private const int _pins = 4;
    private static readonly TimeSpan _pinned = TimeSpan.FromSeconds(30);

    private readonly LinkedList<MailboxDelta> _recent = [];
    private readonly LinkedList<(MailboxSnapshot Snapshot, long Until)> _pinnedVersions = [];
    private Dictionary<string, string>? _keywordCase;

    public MailboxSnapshot Snapshot { get; private set; } = snapshot;

    public void Apply(MailboxDelta delta)
    {
        Snapshot = Snapshot.Apply(delta);
        _recent.AddLast(delta);
        if (_recent.Count > _kept)
            _recent.RemoveFirst();
    }

    /// <summary>See <see cref="IMailboxGrain.Sync"/>.</summary>
    public SyncReply Since(long epoch, long modSeq)
    {
        if (epoch == Snapshot.Epoch && modSeq == Snapshot.ModSeq)
            return new SyncReply(Snapshot.Epoch, Snapshot.ModSeq, [], null, Snapshot.UidNext);
        if (epoch == Snapshot.Epoch && _recent.First is { } first && first.Value.FromModSeq <= modSeq)
            return new SyncReply(Snapshot.Epoch, Snapshot.ModSeq, [.. _recent.Where(d => d.FromModSeq >= modSeq)], null, Snapshot.UidNext);
        long now = Environment.TickCount64;
        while (_pinnedVersions.First is { } oldest && (oldest.Value.Until < now || _pinnedVersions.Count >= _pins))
            _pinnedVersions.RemoveFirst();
        _pinnedVersions.AddLast((Snapshot, now + (long)_pinned.TotalMilliseconds));
        return new SyncReply(Snapshot.Epoch, Snapshot.ModSeq, [], Snapshot.Chunks.Count, Snapshot.UidNext);
    }

    /// <summary>A version that <see cref="Since"/> has named; null when it is kept no longer.</summary>
    public MailboxSnapshot? Pinned(long epoch, long modSeq)
    {
        if (Snapshot.Epoch != epoch)
            return null;
        return Snapshot.ModSeq == modSeq ? Snapshot : _pinnedVersions.FirstOrDefault(p => p.Snapshot.ModSeq == modSeq).Snapshot;
    }

    /// <summary>Keywords in the case that the mailbox has first seen.</summary>
    public IReadOnlyList<string> Canonical(IReadOnlyList<string> keywords)
    {
        if (keywords.Count == 0)
            return keywords;
        if (_keywordCase is null)
        {
            _keywordCase = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
            foreach (string known in Snapshot.Keywords.All())
                _keywordCase.TryAdd(known, known);
        }
        return [.. keywords.Select(k =>
        {
            if (_keywordCase.TryGetValue(k, out string? known))
                return known;
            _keywordCase.Add(k, k);
            return k;
        })];
    }
}
