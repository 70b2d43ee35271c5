using MailCluster.Contracts;
using MailCluster.Imap.Commands;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Session;

/// <summary>How news of the selected mailbox is told.</summary>
/// <param name="WithUid">A UID command runs: its FETCH answers carry UID (RFC 9051 §6.4.9).</param>
/// <param name="Expunged">EXPUNGE may be told (RFC 9051 §7.5.1).</param>
/// <param name="Store">The session's own STORE, whose answers these are.</param>
/// <param name="Later">Messages whose flags the running command tells in its own answers.</param>
/// <param name="Asked">The client asks for all news, whatever NOTIFY has said (RFC 5465): NOOP, and commands whose own answers they are.</param>
public readonly record struct Telling(bool WithUid, bool Expunged = false, OwnStore? Store = null, UidSet? Later = null, bool Asked = false);

/// <summary>A STORE that this session has just made.</summary>
/// <param name="Answer">UIDs that are told whether they changed or not; none for .SILENT.</param>
/// <param name="Changed">UIDs that it changed.</param>
/// <param name="Silent">.SILENT: a change that is exactly this STORE's is known to the client already (RFC 9051 §6.4.6).</param>
public sealed record OwnStore(UidSet Answer, UidSet Changed, StoreMode Mode, FlagList Flags, bool Silent)
{
    /// <summary>The modseqs of its changes of annotations (RFC 5257), of which the client need not be told; null where it changed flags.</summary>
    public IReadOnlySet<long>? Annotated { get; init; }
}

public sealed partial class ImapSession
{
    /// <summary>
    /// Brings the view of the selected mailbox up to date with everything that was committed anywhere before this call, and tells what that changes.
    /// Null when it worked.
    /// </summary>
    public async ValueTask<MailError?> SyncAsync(Selected selected, Telling telling)
    {
        SelectedMailbox mailbox = selected.Mailbox;
        MailResult<MailboxSnapshot> synced = await mailbox.Open.SyncAsync(Wait);
        if (synced.Error is { } error)
            return error;
        if (!mailbox.Rights.Has(MailRights.Read))
        {
            Bye("NOPERM", "You may not read the selected mailbox any more");
            return new MailError(MailErrorCode.NoPermission, "You may not read this mailbox any more");
        }
        if (mailbox.View is null && await FillAsync(mailbox, synced.Value!) is { } notFilled)
            return notFilled;
        return await TellAsync(selected, synced.Value!, telling);
    }

    /// <summary>What a command's end tells: all there is, where the command asks for it, or else what this process has learnt since the command's own sync.</summary>
    /// <returns>True when everything that was committed before was told.</returns>
    private async ValueTask<bool> TellAtEndAsync(Selected selected, Effects effects, bool uid)
    {
        var telling = new Telling(uid, Expunged: !effects.HasFlag(Effects.KeepsNumbers), Asked: effects.HasFlag(Effects.AsksForNews));
        // The command itself has succeeded: what can't be told now is told later.
        if (effects.HasFlag(Effects.SyncsAfter))
            return await SyncAsync(selected, telling) is null && (telling.Asked || Notify is not { TellsFlags: false });
        // What is known here may be behind what others were told; after a sync it is not, and a command that did not read the mailbox has no news of it.
        if (effects.HasFlag(Effects.SyncsFirst) && selected.Mailbox is { View: not null, Open.Current: { } known })
            await TellAsync(selected, known, telling);
        return false;
    }

    /// <summary>Loads what SELECT has told only the counters of.</summary>
    private async ValueTask<MailError?> FillAsync(SelectedMailbox mailbox, MailboxSnapshot now)
    {
        MailboxStatus told = mailbox.Told.Status;
        UidSet vanished = UidSet.Empty;
        if (now.ModSeq != told.HighestModSeq)
        {
            IMailboxGrain owner = Cluster.Mailbox(mailbox.Key);
            MailResult<UidSet> answer = await Cluster.CallAsync(() => owner.Vanished(told.HighestModSeq), Wait);
            if (answer.Error is { } error)
                return error;
            vanished = answer.Value!;
        }
        mailbox.View = MailboxView.AsTold(told, now, vanished);
        if (mailbox.View is not null)
            return null;
        return LoseView();
    }

    private MailError LoseView()
    {
        Bye(null, "The selected mailbox changed too much, please select it again");
        return new MailError(MailErrorCode.Unavailable, "The view of the mailbox was lost");
    }

    /// <summary>Tells of a version; not null where that can't be done and the session has ended.</summary>
    private async ValueTask<MailError?> TellAsync(Selected selected, MailboxSnapshot now, Telling telling)
    {
        (ImapUser user, SelectedMailbox mailbox) = (selected.User, selected.Mailbox);
        MailboxView view = mailbox.View!;
        (bool tellsMessages, bool tellsFlags) = telling.Asked || Notify is not { } notify ? (true, true) : (notify.TellsMessages, notify.TellsFlags);
        bool expunged = telling.Asked ? telling.Expunged : Notify is { } asked ? asked.TellsExpunged(telling.Expunged) : telling.Expunged;
        ViewChange change = view.Follow(now, expunged, tellsMessages);
        if (change.MovesNumbers)
            return LoseView();
        UidSet flags = tellsFlags ? change.Changed : telling.Store is { } mine ? change.Changed.Intersect(mine.Changed) : UidSet.Empty;
        if (telling.Store is { } store)
            flags = flags.Union(store.Answer);
        if (telling.Later is { } later)
            flags = flags.Except(later);
        ILookup<uint, string>? annotations = mailbox.TellsAnnotations || Notify is { TellsAnnotations: true } ? await ChangedAnnotationsAsync(user, mailbox, change, telling) : null;
        SearchContexts contexts = mailbox.Contexts;
        contexts.Note(change);
        if (tellsMessages)
        {
            // Also what is still counted; while its number is right (RFC 5267 §4.3.4).
            foreach (ContextChange gone in contexts.Lose(change.Expunged.Union(view.Ghosts)))
                ContextResponse.Write(Reply, gone, change.Before);
        }
        if (change.IsNone && flags.IsEmpty && annotations is null && mailbox.ToldRights == mailbox.Rights && !(tellsMessages && contexts.IsDue))
            return null;
        FlagsResponse.NewKeywords(Reply, mailbox, now.Keywords);
        await TellExpungedAsync(user, change);
        if (!change.Added.IsEmpty)
        {
            Reply.Untagged((uint)view.Messages.Count, "EXISTS"u8);
            // What is \Recent is for the mailbox's own account to see.
            if (!user.Rev2 && user.ViewerOf(mailbox.Key.Account) is null)
                await TellRecentAsync(mailbox, change.Added);
        }
        foreach (MessageRef message in view.Messages.Messages(annotations is null ? flags : flags.Union(UidSet.FromUids(annotations.Select(static a => a.Key)))))
        {
            if (view.Ghosts.Contains(message.Uid))
                continue;
            IEnumerable<string>? entries = annotations?.Contains(message.Uid) == true ? annotations[message.Uid].Distinct() : null;
            bool known = telling.Store is { Silent: true } own && own.Changed.Contains(message.Uid)
                && change.Before.TryFind(message.Uid, out MessageRef before) && IsJust(own, before, message);
            // What another of those who share the mailbox has seen shows in the modseq alone, and so do annotations.
            bool same = mailbox.Key.Account != user.Settings.Account || !now.Sharing.SeenBy.IsEmpty || !change.OfCounters;
            same = same && telling.Store?.Answer.Contains(message.Uid) != true && change.Before.TryFind(message.Uid, out MessageRef told) && told.Code == message.Code
                && ReferenceEquals(told.KeywordTable, message.KeywordTable);
            if ((known || same) && !user.CondStore && entries is null)
                continue;
            bool withFlags = !known && (entries is null || (!same && flags.Contains(message.Uid)));
            FlagsResponse.Changed(Reply, user, mailbox, message, telling.WithUid, withFlags, entries);
            await FlushIfFullAsync();
        }
        IReadOnlyList<ContextChange> results = tellsMessages ? await contexts.FollowAsync(this, selected) : [];
        await FetchNewAsync(selected, change.Added, results);
        foreach (ContextChange result in results)
        {
            ContextResponse.Write(Reply, result, view.Messages);
            await FlushIfFullAsync();
        }
        return null;
    }

    /// <summary>
    /// The entries of annotations that others have changed (RFC 5257 §4.4), by message; null where there are none, or the client has not asked. What can't be read now is read at the next time.
    /// </summary>
    private async ValueTask<ILookup<uint, string>?> ChangedAnnotationsAsync(ImapUser user, SelectedMailbox mailbox, ViewChange change, Telling telling)
    {
        bool tells = Notify is { } notify && !telling.Asked ? notify.TellsAnnotations : mailbox.TellsAnnotations || Notify is { TellsAnnotations: true };
        if (!tells || Services.Annotations is null)
            return null;
        long version = mailbox.Messages.Messages.ModSeq;
        UidSet due = mailbox.AnnotationsDue.Union(change.Changed);
        mailbox.AnnotationsDue = due;
        if (due.IsEmpty)
        {
            mailbox.AnnotationsSince = version;
            return null;
        }
        try
        {
            IReadOnlyList<ChangedAnnotation> changed = await Services.Annotations.ChangedAsync(mailbox.Key, user.Settings.Account, due, mailbox.AnnotationsSince, Gone);
            (mailbox.AnnotationsDue, mailbox.AnnotationsSince) = (UidSet.Empty, version);
            // What is later than the version is told with its own.
            ILookup<uint, string> told = changed.Where(c => c.ModSeq <= version && telling.Store?.Annotated?.Contains(c.ModSeq) != true).ToLookup(static c => c.Uid, static c => c.Entry);
            return told.Count == 0 ? null : told;
        }
        catch (StoreUnavailableException)
        {
            return null;
        }
    }

    /// <summary>
    /// What NOTIFY and UPDATE asked to be fetched of new messages, except of those that this session has put there (RFC 5465 §5.2, §7). What several have asked for of a message is one answer.
    /// </summary>
    private async ValueTask FetchNewAsync(Selected selected, UidSet added, IReadOnlyList<ContextChange> results)
    {
        if (added.IsEmpty)
            return;
        UidSet open = added.Except(selected.Mailbox.OwnAdded);
        selected.Mailbox.OwnAdded = UidSet.Empty;
        ContextChange[] fetching = [.. results.Where(static r => r.Context.Fetch is not null)];
        if (Notify?.Fetch is null && fetching.Length == 0)
            return;
        foreach (IGrouping<string, uint> same in open.Uids().GroupBy(one => string.Concat(fetching.Select(r => r.New.Contains(one) ? '1' : '0'))))
        {
            FetchAttribute[] asked = [.. (Notify?.Fetch ?? []).Concat(fetching.Where((_, i) => same.Key[i] == '1').SelectMany(static r => r.Context.Fetch!)).Distinct()];
            if (asked.Length > 0)
                await new FetchRun(this, selected, new FetchArguments(SequenceSet.Of(), asked, null, false), uid: true).RunAsync(UidSet.FromUids(same));
        }
    }

    private async ValueTask TellExpungedAsync(ImapUser user, ViewChange change)
    {
        if (change.Expunged.IsEmpty)
            return;
        if (user.QResync || user.UidOnly)
        {
            Reply.Untagged().Raw("VANISHED "u8).Uids(change.Expunged).NewLine();
            return;
        }
        foreach (uint number in change.ExpungedNumbers())
        {
            Reply.Untagged(number, "EXPUNGE"u8);
            await FlushIfFullAsync();
        }
    }

    /// <summary>New messages are \Recent in the one session that hears of them first (RFC 3501 §2.3.2).</summary>
    private async ValueTask TellRecentAsync(SelectedMailbox mailbox, UidSet added)
    {
        if (mailbox.ReadOnly)
            return;
        uint last = added[^1].Last;
        IMailboxGrain owner = Cluster.Mailbox(mailbox.Key);
        MailResult<uint> first = await Cluster.CallAsync(() => owner.ClaimRecent(last), Wait);
        if (first.IsOk && first.Value > 0 && first.Value <= last)
        {
            mailbox.Recent = mailbox.Recent.Union(UidSet.FromRanges([new UidRange(first.Value, last)]));
            Reply.Untagged((uint)mailbox.RecentCount, "RECENT"u8);
        }
    }

    /// <summary>True when the flags are what the client expects after its own STORE.</summary>
    private static bool IsJust(OwnStore store, MessageRef before, MessageRef after)
    {
        SystemFlags system = store.Mode switch
        {
            StoreMode.Replace => store.Flags.System,
            StoreMode.Add => before.SystemFlags | store.Flags.System,
            _ => before.SystemFlags & ~store.Flags.System,
        };
        if (after.SystemFlags != system)
            return false;
        IEnumerable<string> keywords = store.Mode switch
        {
            StoreMode.Replace => store.Flags.Keywords,
            StoreMode.Add => before.Keywords.Union(store.Flags.Keywords, StringComparer.OrdinalIgnoreCase),
            _ => before.Keywords.Except(store.Flags.Keywords, StringComparer.OrdinalIgnoreCase),
        };
        return new HashSet<string>(after.Keywords, StringComparer.OrdinalIgnoreCase).SetEquals(keywords);
    }
}
