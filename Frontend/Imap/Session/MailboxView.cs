using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Session;

/// <summary>
/// What one session has told its client of a mailbox: message number n is <c>Messages[n - 1]</c>. Expunged messages of which the client may not yet hear
/// (RFC 9051 §7.5.1) stay in it as ghosts, so that no number ever changes its meaning unannounced. Pure: knows neither owners nor bytes.
/// </summary>
public sealed class MailboxView
{
    private MailboxView(MailboxSnapshot told, MailboxSnapshot followed)
    {
        Messages = told;
        Followed = followed;
    }

    /// <summary>A view of a version that was told as it is.</summary>
    public MailboxView(MailboxSnapshot told)
        : this(told, told)
    {
    }

    /// <summary>The version that the client knows, ghosts included.</summary>
    public MailboxSnapshot Messages { get; private set; }

    /// <summary>The owner's version that <see cref="Messages"/> was made of.</summary>
    public MailboxSnapshot Followed { get; private set; }

    /// <summary>The client was told counters alone; the flags of <see cref="Messages"/> came with the rows, later.</summary>
    private bool _ofCounters;

    /// <summary>New messages are kept from the client: <see cref="Messages"/> ends before them.</summary>
    private bool _hides;

    /// <summary>Expunged messages that the client still counts.</summary>
    public UidSet Ghosts { get; private set; } = UidSet.Empty;

    /// <summary>
    /// The view of a client that was only told counters: the rows came later, with <paramref name="now"/>. What was expunged in between
    /// (<paramref name="vanished"/>) is put back as ghosts without content, what is newer is left out, and changed flags still count as unchanged:
    /// <see cref="Follow"/> then tells all of it. Null when the counters and the rows do not agree.
    /// </summary>
    public static MailboxView? AsTold(MailboxStatus told, MailboxSnapshot now, UidSet vanished)
    {
        var chunks = new List<MessageChunk>(now.Chunks.Count);
        foreach (MessageChunk chunk in ChunksBefore(now, told.UidNext))
        {
            MessageChunk old = chunk;
            if (Array.Exists(old.ModSeq, m => m > told.HighestModSeq))
                old = new MessageChunk { Fixed = old.Fixed, Flags = old.Flags, ModSeq = [.. old.ModSeq.Select(m => Math.Min(m, told.HighestModSeq))] };
            chunks.Add(old);
        }
        MailboxSnapshot rows = MailboxSnapshot.Of(now.Epoch, told.HighestModSeq, told.UidNext, now.Keywords, chunks);
        UidSet known = told.UidNext > 1 ? vanished.Intersect(UidSet.FromRanges([new UidRange(1, told.UidNext - 1)])) : UidSet.Empty;
        if (known.Cardinality > told.Messages)
            return null;
        IEnumerable<MessageRow> ghosts = known.Uids()
            .Where(uid => !rows.TryFind(uid, out _))
            .Select(static uid => new MessageRow(uid, default, 0, 0, 0, 0, FlagList.None, 0, 0));
        MailboxSnapshot lost = MailboxSnapshot.OfRows(now.Epoch, told.HighestModSeq, told.UidNext, ghosts);
        MailboxSnapshot all = rows.Retaining(lost, UidSet.FromUids(lost.Messages().Select(static m => m.Uid)));
        return all.Count == told.Messages ? new MailboxView(all, rows) { _ofCounters = true } : null;
    }

    /// <summary>Takes over a newer version, and says what is to be told of it, in this order: expunged, new count, changed flags.</summary>
    /// <param name="tellExpunged">False: expunged messages stay as ghosts.</param>
    /// <param name="tellAdded">False: new messages are left out, which is for a client that does not want to hear of them (RFC 5465 §5).</param>
    public ViewChange Follow(MailboxSnapshot now, bool tellExpunged, bool tellAdded = true)
    {
        MailboxSnapshot before = Messages;
        if (ReferenceEquals(now, Followed) && (Ghosts.IsEmpty || !tellExpunged) && (!_hides || !tellAdded))
            return ViewChange.None(before);
        Followed = now;
        _hides = !tellAdded && now.UidNext > before.UidNext;
        if (_hides)
            now = MailboxSnapshot.Of(now.Epoch, now.ModSeq, before.UidNext, now.Keywords, ChunksBefore(now, before.UidNext), now.UidValidity);
        SnapshotDiff diff = SnapshotDiff.Between(before, now);
        Ghosts = tellExpunged ? UidSet.Empty : diff.Expunged;
        Messages = now.Retaining(before, Ghosts);
        UidSet told = tellExpunged ? diff.Expunged : UidSet.Empty;
        var change = new ViewChange(before, told, diff.Added, diff.Changed) { OfCounters = _ofCounters };
        _ofCounters = false;
        return change;
    }

    /// <summary>The messages that a set of numbers or UIDs names, ghosts included.</summary>
    /// <param name="saved">What '$' stands for (RFC 9051 §6.4.4.1).</param>
    /// <exception cref="ImapSyntaxException">A message number above the last.</exception>
    public UidSet Resolve(SequenceSet set, bool uid, UidSet saved)
    {
        if (set.IsSavedResult)
            return Existing(saved);
        if (uid)
        {
            // '*' in an empty mailbox names nothing.
            uint last = Messages.Count == 0 ? 0 : Messages[Messages.Count - 1].Uid;
            return Existing(UidSet.FromRanges(set.Resolve(last).Select(static r => new UidRange(r.Start, r.End))));
        }
        if (set.LargestNumber > Messages.Count || (set.HasStar && Messages.Count == 0))
            ImapParser.Fail("No message has that number");
        var uids = new UidSet.Builder();
        foreach (SequenceRange range in set.Resolve((uint)Messages.Count))
        {
            for (int index = (int)range.Start - 1; index < range.End; index++)
                uids.Add(Messages[index].Uid);
        }
        return uids.ToSet();
    }

    /// <summary>The message numbers of UIDs, as ranges in the wire's form; those without a message are passed over.</summary>
    public UidSet NumbersOf(UidSet uids)
    {
        var numbers = new UidSet.Builder();
        foreach (MessageRef message in Messages.Messages(uids))
            numbers.Add((uint)message.Index + 1);
        return numbers.ToSet();
    }

    /// <summary>The messages below a UID.</summary>
    private static IEnumerable<MessageChunk> ChunksBefore(MailboxSnapshot now, uint uidNext)
    {
        foreach (MessageChunk chunk in now.Chunks)
        {
            if (chunk.FirstUid >= uidNext)
                yield break;
            int count = chunk.IndexOf(uidNext);
            yield return chunk.LastUid < uidNext ? chunk : chunk.Keep([.. Enumerable.Range(0, count < 0 ? ~count : count)])!;
        }
    }

    private UidSet Existing(UidSet uids)
    {
        var existing = new UidSet.Builder();
        foreach (MessageRef message in Messages.Messages(uids))
            existing.Add(message.Uid);
        return existing.ToSet();
    }
}

/// <summary>What is to be told of a step from one version to the next.</summary>
/// <param name="Before">What the client knew.</param>
/// <param name="Expunged">EXPUNGE or VANISHED.</param>
/// <param name="Added">New messages: EXISTS.</param>
/// <param name="Changed">FETCH with FLAGS.</param>
public sealed record ViewChange(MailboxSnapshot Before, UidSet Expunged, UidSet Added, UidSet Changed)
{
    public static ViewChange None(MailboxSnapshot before) => new(before, UidSet.Empty, UidSet.Empty, UidSet.Empty);

    /// <summary>The flags of <see cref="Before"/> may be newer than what the client knew.</summary>
    public bool OfCounters { get; init; }

    public bool IsNone => Expunged.IsEmpty && Added.IsEmpty && Changed.IsEmpty;

    /// <summary>
    /// Something was added before the last message that the client knows, which no EXISTS can tell: numbers would change their meaning (RFC 9051 §2.3.1.2).
    /// Only a repair of the mailbox's rows does that.
    /// </summary>
    public bool MovesNumbers => !Added.IsEmpty && Before.Chunks.Count > 0 && Added[0].First < Before.Chunks[^1].LastUid;

    /// <summary>The number of each expunged message at the moment when its EXPUNGE is read: those before it are gone already (RFC 9051 §7.5.1).</summary>
    public IEnumerable<uint> ExpungedNumbers()
    {
        uint gone = 0;
        foreach (MessageRef message in Before.Messages(Expunged))
            yield return (uint)message.Index + 1 - gone++;
    }
}
