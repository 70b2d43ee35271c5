using MailCluster.Contracts;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>The owner of a mailbox, in memory.</summary>
internal sealed class FakeMailbox(FakeMail mail, MailboxKey key) : IMailboxGrain
{
    private readonly Lock _gate = new();
    private readonly List<(long ModSeq, UidSet Uids)> _vanished = [];
    private MailboxSnapshot _now = MailboxSnapshot.OfRows(1, 1, 1, []);
    private uint _recentFrom = 1;

    private static MailError GoneError => new(MailErrorCode.MailboxGone, "Gone.");

    public bool Gone { get; set; }

    /// <summary>The owner's answers fail as if it could not be reached.</summary>
    public bool Unreachable { get; set; }

    /// <summary>After so many changes it can't be reached any more; null for never.</summary>
    public int? ChangesLeft { get; set; }

    /// <summary>Something that nobody expects happens at the next SELECT.</summary>
    public bool Breaks { get; set; }

    public uint UidValidity { get; init; } = 1000;

    public MailboxSnapshot Now => _now;

    /// <summary>POP3 unique-ids that messages were imported with, in UID order.</summary>
    public List<ImportedUidl> Uidls { get; } = [];

    public MailboxStatus StatusNow => new(
        key.Mailbox, UidValidity, _now.UidNext, _now.ModSeq, _now.Count,
        _now.Messages().Count(static m => (m.SystemFlags & SystemFlags.Seen) == 0), _now.Messages().Count(static m => (m.SystemFlags & SystemFlags.Deleted) != 0),
        _now.Messages().Sum(static m => (long)m.Size), _now.Messages().Count(m => m.Uid >= _recentFrom), _now.Totals.DeletedBytes);

    public ValueTask<MailResult<MailboxSelected>> Select(bool readOnly) => Do<MailboxSelected>(() =>
    {
        if (Breaks)
            throw new InvalidOperationException("broken");
        var selected = new MailboxSelected(1, StatusNow, readOnly ? _now.UidNext : _recentFrom, _now.Keywords.All());
        if (!readOnly)
            _recentFrom = _now.UidNext;
        return selected;
    });

    public ValueTask<MailResult<MailboxStatus?>> Status() => Do<MailboxStatus?>(() => StatusNow);

    public ValueTask<MailResult<SyncReply>> Sync(long epoch, long modSeq, IMailboxObserver? observer) =>
        throw new InvalidOperationException("The owner is in this process.");

    public ValueTask<MailResult<SnapshotPage>> GetChunks(long epoch, long modSeq, int from, int count) =>
        throw new InvalidOperationException("The owner is in this process.");

    public ValueTask<MailResult<uint>> ClaimRecent(uint upTo) => Do<uint>(() =>
    {
        uint from = _recentFrom;
        _recentFrom = Math.Max(_recentFrom, upTo + 1);
        return from;
    });

    public ValueTask<MailResult<AppendResult>> Append(AppendRequest request) => Do<AppendResult>(() =>
    {
        uint first = _now.UidNext;
        for (int i = 0; i < request.Messages.Count; i++)
            mail.Annotations.Set(key, first + (uint)i, request.Messages[i].Annotations ?? [], _now.ModSeq + 1);
        Change(modSeq => new MessagesAdded(modSeq, [.. request.Messages.Select((m, i) => new MessageRow(
            first + (uint)i, new EmailId(m.Body.Value), m.Size, m.InternalDate, m.ZoneMinutes, 0, m.Flags, modSeq, 1))]));
        return new AppendResult(UidValidity, UidSet.FromRanges([new UidRange(first, _now.UidNext - 1)]), _now.ModSeq, false);
    });

    public ValueTask<MailResult<StoreResult>> Store(StoreRequest request) => Do<StoreResult>(() =>
    {
        var changed = new UidSet.Builder();
        var modified = new UidSet.Builder();
        foreach (MessageRef message in _now.Messages(request.Uids))
        {
            if (message.ModSeq > request.UnchangedSince)
                modified.Add(message.Uid);
            else if (!Same(message, request.Mode, request.Flags))
                changed.Add(message.Uid);
        }
        if (!changed.IsEmpty)
            Change(modSeq => new FlagsChanged(modSeq, changed.ToSet(), request.Mode, request.Flags));
        return new StoreResult(changed.ToSet(), modified.ToSet(), _now.ModSeq);
    });

    public ValueTask<MailResult<StoreResult>> Annotate(AnnotateRequest request) => Do<StoreResult>(() =>
    {
        if (request.Values.Any(static v => v.Value?.Length > FakeAnnotations.MostOctets))
            return new MailError(MailErrorCode.AnnotationTooBig, "Too big.");
        MessageRef[] messages = [.. _now.Messages(request.Uids)];
        UidSet modified = UidSet.FromUids(messages.Where(m => m.ModSeq > request.UnchangedSince).Select(static m => m.Uid));
        UidSet changed = UidSet.FromUids(messages.Where(m => !modified.Contains(m.Uid) && request.Values.Any(v => mail.Annotations.Differs(key, m.Uid, v))).Select(static m => m.Uid));
        if (changed.Uids().Any(uid => mail.Annotations.IsFull(key, uid, request.Values)))
            return new MailError(MailErrorCode.TooManyMessageAnnotations, "Too many.");
        if (!changed.IsEmpty)
        {
            // They are there before the version that tells of them is.
            foreach (uint uid in changed.Uids())
                mail.Annotations.Set(key, uid, request.Values.Where(v => mail.Annotations.Differs(key, uid, v)), _now.ModSeq + 1);
            Change(modSeq => new FlagsChanged(modSeq, changed, StoreMode.Add, FlagList.None));
        }
        return new StoreResult(changed, modified, _now.ModSeq);
    });

    public ValueTask<MailResult<ExpungeResult>> Expunge(ExpungeRequest request) => Do<ExpungeResult>(() =>
    {
        UidSet uids = UidSet.FromUids(_now.Messages()
            .Where(m => (m.SystemFlags & SystemFlags.Deleted) != 0 && request.Uids?.Contains(m.Uid) != false).Select(static m => m.Uid));
        Remove(uids);
        return new ExpungeResult(uids, _now.ModSeq);
    });

    public ValueTask<MailResult<ExpungeResult>> Remove(RemoveRequest request) => Do<ExpungeResult>(() =>
    {
        UidSet uids = UidSet.FromUids(_now.Messages(request.Uids).Select(static m => m.Uid));
        Remove(uids);
        return new ExpungeResult(uids, _now.ModSeq);
    });

    public ValueTask<MailResult<ReplaceResult>> Replace(ReplaceRequest request) => Do<ReplaceResult>(() =>
    {
        FakeMailbox source = mail.Mailboxes[request.Source];
        if (!source._now.TryFind(request.Uid, out _))
            return new MailError(MailErrorCode.MessageGone, "The message was expunged.");
        source.Remove(UidSet.Single(request.Uid));
        (uint uid, long removed, NewMessage m) = (_now.UidNext, source._now.ModSeq, request.Message);
        mail.Annotations.Set(key, uid, m.Annotations ?? [], _now.ModSeq + 1);
        Change(modSeq => new MessagesAdded(modSeq, [new MessageRow(uid, new EmailId(m.Body.Value), m.Size, m.InternalDate, m.ZoneMinutes, 0, m.Flags, modSeq, 1)]));
        return new ReplaceResult(UidValidity, uid, _now.ModSeq, removed);
    });

    public ValueTask<MailResult<CopyResult>> CopyFrom(CopyRequest request) => Do<CopyResult>(() =>
    {
        FakeMailbox source = mail.Mailboxes[request.Source];
        MessageRef[] messages = [.. source._now.Messages(request.Uids)];
        uint first = _now.UidNext;
        UidSet uids = UidSet.FromUids(messages.Select(static m => m.Uid));
        if (messages.Length == 0)
            return new CopyResult(UidValidity, uids, uids, _now.ModSeq, null);
        for (int i = 0; i < messages.Length; i++)
            mail.Annotations.Copy(request.Source, messages[i].Uid, key, first + (uint)i, _now.ModSeq + 1);
        Change(modSeq => new MessagesAdded(modSeq, [.. messages.Select((m, i) => m.ToRow() with { Uid = first + (uint)i, ModSeq = modSeq })]));
        if (request.Move)
            source.Remove(uids);
        return new CopyResult(UidValidity, uids, UidSet.FromRanges([new UidRange(first, _now.UidNext - 1)]), _now.ModSeq, source._now.ModSeq);
    });

    public ValueTask<MailResult<UidSet>> Vanished(long since) => Do<UidSet>(() =>
        _vanished.Where(v => v.ModSeq > since).Aggregate(UidSet.Empty, static (all, v) => all.Union(v.Uids)));

    public ValueTask<MailResult<IReadOnlyList<ImportedUidl>>> ImportedUidls(uint from, int count) =>
        Do<IReadOnlyList<ImportedUidl>>(() => new([.. Uidls.Where(u => u.Uid >= from).Take(count)], null));

    public ValueTask Applied(MailboxDelta delta) => default;

    public ValueTask Committed(long epoch, long modSeq) => throw new NotSupportedException();

    public ValueTask Unname() => default;

    public ValueTask End(MailboxEnd reason)
    {
        Gone = true;
        mail.Local.End(key, reason);
        return default;
    }

    /// <summary>Makes the mailbox readable in this process, as its owner does when it is loaded.</summary>
    public void Publish() => mail.Local.Publish(key, _now);

    private static bool Same(MessageRef message, StoreMode mode, FlagList flags)
    {
        var has = new HashSet<string>(message.Keywords, StringComparer.OrdinalIgnoreCase);
        return mode switch
        {
            StoreMode.Add => (message.SystemFlags & flags.System) == flags.System && has.IsSupersetOf(flags.Keywords),
            StoreMode.Remove => (message.SystemFlags & flags.System) == 0 && !has.Overlaps(flags.Keywords),
            _ => message.SystemFlags == flags.System && has.SetEquals(flags.Keywords),
        };
    }

    private void Remove(UidSet uids)
    {
        if (uids.IsEmpty)
            return;
        Change(modSeq => new MessagesExpunged(modSeq, uids));
        _vanished.Add((_now.ModSeq, uids));
    }

    private void Change(Func<long, MailboxEffect> effect)
    {
        ChangesLeft--;
        long next = _now.ModSeq + 1;
        _now = _now.Apply(new MailboxDelta(1, _now.ModSeq, next, [effect(next)]));
        Publish();
        _ = mail.Owner.Heard(key.Mailbox, StatusNow);
    }

    private ValueTask<MailResult<T>> Do<T>(Func<MailResult<T>> work)
    {
        lock (_gate)
        {
            if (Gone)
                return new(GoneError);
            if (Unreachable || ChangesLeft == 0)
                return new(new MailError(MailErrorCode.Unavailable, "Unreachable."));
            return new(work());
        }
    }

    public ValueTask<MailResult<MailboxSelected>> SelectAs(bool readOnly, AccountId viewer) => throw new NotSupportedException();

    public ValueTask<MailResult<MailboxStatus?>> StatusAs(AccountId viewer) => throw new NotSupportedException();

    public ValueTask<MailResult<MailboxAcl>> SetRights(SetRightsRequest request) => throw new NotSupportedException();
}
