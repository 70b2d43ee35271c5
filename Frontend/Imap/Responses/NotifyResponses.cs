using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Commands;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>LIST and STATUS that nobody has asked for at this moment (RFC 5465 §5): what leads from the account as the client knows it to what it is now.</summary>
internal static class NotifyResponses
{
    /// <summary>The events that there are here, as NO [BADEVENT] names them.</summary>
    public static string Supported(ImapServices services) =>
        $"MessageNew MessageExpunge FlagChange {(services.Annotations is null ? "" : "AnnotationChange ")}MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange";

    public static NotifyEvents SupportedEvents(ImapServices services) => services.Annotations is null ? ~NotifyEvents.AnnotationChange : ~NotifyEvents.None;

    /// <summary>What changes a mailbox's modseq, and else nothing that STATUS tells.</summary>
    private const NotifyEvents Silent = NotifyEvents.FlagChange | NotifyEvents.AnnotationChange;

    /// <summary>A mailbox whose counters the client does not know.</summary>
    public const StatusItems Whole = StatusItems.Messages | StatusItems.UidNext | StatusItems.UidValidity;

    public const NotifyEvents Annotations = NotifyEvents.MailboxMetadataChange | NotifyEvents.ServerMetadataChange;

    /// <summary>NOTIFY SET STATUS: the counters of all mailboxes whose messages the client wants to hear of, but for the selected one (§3.1).</summary>
    public static async ValueTask TellAllAsync(ImapSession session, ImapUser user, Notifications notify)
    {
        HashSet<MailboxPath> subscribed = [.. notify.Told.Subscriptions];
        foreach (MailboxInfo mailbox in notify.Told.Mailboxes)
        {
            NotifyEvents events = notify.EventsOf(user.Names.OnWire(mailbox.Path), subscribed.Contains(mailbox.Path));
            if (mailbox is not { Selectable: true, Status: { } counters } || (events & NotifyEvents.Messages) == 0 || mailbox.Id == Selected(session))
                continue;
            StatusResponse.Write(session.Reply, user, session.Options, user.Names.NameOf(mailbox.Path), Whole | More(user, events), counters);
            await session.FlushIfFullAsync();
        }
    }

    public static async ValueTask TellAsync(ImapSession session, ImapUser user, Notifications notify, AccountState now)
    {
        AccountState told = notify.Told;
        if (ReferenceEquals(told, now))
            return;
        if (!ReferenceEquals(told.Names, now.Names) || !ReferenceEquals(told.Shared, now.Shared))
            await TellNamesAsync(session, user, notify, told, now);
        if (!ReferenceEquals(told.Annotations, now.Annotations))
            TellAnnotations(session.Reply, user, notify, told, now);
        bool sameNames = ReferenceEquals(told.Names, now.Names);
        HashSet<MailboxPath> subscribed = [.. now.Subscriptions], wasSubscribed = sameNames ? subscribed : [.. told.Subscriptions];
        foreach (MailboxInfo mailbox in now.Mailboxes)
        {
            MailboxInfo? before = told.Find(mailbox.Id);
            if ((ReferenceEquals(before, mailbox) && sameNames) || mailbox is not { Selectable: true, Status: { } counters } || mailbox.Id == Selected(session))
                continue;
            NotifyEvents events = notify.EventsOf(user.Names.OnWire(mailbox.Path), subscribed.Contains(mailbox.Path));
            // What has come into a group by its name or its subscription may have changed before that was heard of: it is told whole, and nothing of it is missed.
            bool cameIn = !sameNames && before is not null && (notify.EventsOf(user.Names.OnWire(before.Path), wasSubscribed.Contains(before.Path)) & NotifyEvents.Messages) == 0;
            StatusItems items = Changed(before?.Status, counters, events, whole: cameIn || TookAName(told, now, before, mailbox));
            if (items == StatusItems.None)
                continue;
            StatusResponse.Write(session.Reply, user, session.Options, user.Names.NameOf(mailbox.Path), items | More(user, events), counters);
            await session.FlushIfFullAsync();
        }
    }

    /// <summary>
    /// Whether two mailboxes have changed names with each other, or a new one has that of one that is gone: from LIST alone the client can't tell whose the figures are that it knows by the name.
    /// </summary>
    private static bool TookAName(AccountState told, AccountState now, MailboxInfo? before, MailboxInfo mailbox) =>
        !ReferenceEquals(told.Names, now.Names) && !mailbox.Path.Equals(before?.Path)
        && (told.Mailboxes.Any(m => m.Path.Equals(mailbox.Path)) || (before is not null && now.Mailboxes.Any(m => m.Path.Equals(before.Path))));

    /// <summary>A mailbox that the client does not know counts as empty.</summary>
    internal static StatusItems Changed(MailboxStatus? before, MailboxStatus now, NotifyEvents events, bool whole)
    {
        var items = StatusItems.None;
        if ((events & NotifyEvents.Messages) == 0)
            return items;
        if (whole)
            return Whole;
        if (now.UidNext != (before?.UidNext ?? 1) || now.Messages != (before?.Messages ?? 0))
            items |= StatusItems.Messages | StatusItems.UidNext;
        // LIST alone has told of one that was made: with its first message comes its UIDVALIDITY.
        if (items != StatusItems.None && before is null or { UidNext: 1 })
            items |= StatusItems.UidValidity;
        // Numbers of another UIDVALIDITY mean nothing without it.
        if (before is not null && before.UidValidity != now.UidValidity)
            items |= Whole;
        if ((events & Silent) != 0 && before is not null && before.HighestModSeq != now.HighestModSeq)
            items |= StatusItems.UidValidity;
        return items;
    }

    /// <summary>What is told along: flags have no other trace than these (§5.1), and who follows modseqs hears of each (§5.2).</summary>
    internal static StatusItems More(ImapUser user, NotifyEvents events) =>
        ((events & NotifyEvents.FlagChange) != 0 ? StatusItems.Unseen : StatusItems.None) | (user.CondStore ? StatusItems.HighestModSeq : StatusItems.None);

    internal static MailboxId? Selected(ImapSession session) => session.State is Selected { Mailbox.Key.Mailbox: var selected } ? selected : null;

    /// <summary>Mailboxes that were made, renamed or deleted, whose attributes changed, and subscriptions (§5.4, §5.5).</summary>
    private static async ValueTask TellNamesAsync(ImapSession session, ImapUser user, Notifications notify, AccountState told, AccountState now)
    {
        Dictionary<MailboxPath, ListedMailbox> before = ListedMailbox.Of(told.Tree, told.Shared, user).ToDictionary(static m => m.OnWire);
        IReadOnlyList<ListedMailbox> after = ListedMailbox.Of(now.Tree, now.Shared, user);
        HashSet<MailboxPath> names = [.. after.Select(static m => m.OnWire)];
        HashSet<MailboxId> kept = [.. now.Mailboxes.Select(static m => m.Id), .. now.Shared.Mailboxes.Select(static m => m.Info.Id)];
        var oldNames = new Dictionary<MailboxId, MailboxPath>();
        foreach (ListedMailbox old in before.Values)
        {
            if (old.Info is { } named)
                oldNames[named.Id] = old.OnWire;
        }
        foreach (ListedMailbox mailbox in after)
        {
            before.TryGetValue(mailbox.OnWire, out ListedMailbox? known);
            MailboxPath? oldName = mailbox.Info is { } info && oldNames.TryGetValue(info.Id, out MailboxPath? old) && !old.Equals(mailbox.OnWire) ? old : null;
            NotifyEvents events = notify.EventsOf(mailbox.OnWire, mailbox.Subscribed || known is { Subscribed: true });
            if (oldName is not null)
                events |= notify.EventsOf(oldName, before.TryGetValue(oldName, out ListedMailbox? source) && source.Subscribed);
            bool renamed = oldName is not null;
            bool named = renamed || !SameName(known, mailbox);
            bool subscribed = (known?.Subscribed ?? false) != mailbox.Subscribed;
            // RFC 5465 §5.9: what may not be read any more is watched no more, and again once it may.
            bool access = known?.Info is { } had && mailbox.Info is { } has && had.Rights.Has(MailRights.Read) != has.Rights.Has(MailRights.Read) && (events & NotifyEvents.Messages) != 0;
            if (access || (named && (events & NotifyEvents.MailboxName) != 0) || (subscribed && (events & NotifyEvents.SubscriptionChange) != 0))
                Write(session.Reply, user, mailbox, oldName);
            await session.FlushIfFullAsync();
        }
        foreach (ListedMailbox gone in before.Values.Where(m => !names.Contains(m.OnWire)))
        {
            // A mailbox that is there by another name was told with that; names that were only subscribed, or stood above others, may have gone with their subscription.
            bool deleted = gone.Info is { } info && !kept.Contains(info.Id);
            NotifyEvents events = notify.EventsOf(gone.OnWire, gone.Subscribed);
            if ((deleted && (events & NotifyEvents.MailboxName) != 0) || (gone.Subscribed && (events & NotifyEvents.SubscriptionChange) != 0))
                Write(session.Reply, user, new ListedMailbox(gone.OnWire, null, false), null);
            // Of mailboxes of others the right to see them may be gone (§5.9).
            else if (deleted && gone.Account != user.Settings.Account && (events & NotifyEvents.Messages) != 0)
                session.Reply.Untagged().Raw("LIST (\\NoAccess) "u8).Delimiter(user.Names).Space().Mailbox(gone.OnWire.ToString(user.Names.Delimiter)).NewLine();
            await session.FlushIfFullAsync();
        }
    }

    /// <summary>METADATA with the names of the annotations that are others now, or gone (§5.6, §5.7; RFC 5464 §4.4.2).</summary>
    private static void TellAnnotations(ReplyWriter reply, ImapUser user, Notifications notify, AccountState told, AccountState now)
    {
        IEnumerable<(MailboxId Mailbox, string Entry)> changed = now.Annotations.Where(a => !told.Annotations.TryGetValue(a.Key, out long mark) || mark != a.Value).Select(static a => a.Key)
            .Concat(told.Annotations.Keys.Where(key => !now.Annotations.ContainsKey(key)));
        foreach (IGrouping<MailboxId, string> of in changed.GroupBy(static c => c.Mailbox, static c => c.Entry).OrderBy(static g => g.Key.Value))
        {
            bool server = of.Key.Value == 0;
            // With a mailbox that is gone, or that nobody knew, its annotations are no news.
            MailboxInfo? mailbox = now.Find(of.Key);
            bool wanted = server ? notify.Wants(NotifyEvents.ServerMetadataChange)
                : mailbox is not null && told.Find(of.Key) is not null
                    && (notify.EventsOf(user.Names.OnWire(mailbox.Path), now.Subscriptions.Contains(mailbox.Path)) & NotifyEvents.MailboxMetadataChange) != 0;
            if (!wanted)
                continue;
            reply.Untagged().Raw("METADATA "u8).Mailbox(server ? "" : user.Names.NameOf(mailbox!.Path));
            foreach (string entry in of.Order(StringComparer.Ordinal))
                reply.Space().AString(entry);
            reply.NewLine();
        }
    }

    private static bool SameName(ListedMailbox? before, ListedMailbox now) =>
        (before?.Info is { Selectable: true }) == (now.Info is { Selectable: true }) && before?.Info?.Id == now.Info?.Id && (before?.HasChildren ?? now.HasChildren) == now.HasChildren
        && (before?.Info?.SpecialUse ?? []).SequenceEqual(now.Info?.SpecialUse ?? []);

    private static void Write(ReplyWriter reply, ImapUser user, ListedMailbox mailbox, MailboxPath? oldName)
    {
        reply.Untagged().Raw("LIST ("u8);
        if (mailbox.Info is not { Selectable: true })
            reply.Raw("\\NonExistent "u8);
        else if (!mailbox.Info.Rights.Has(MailRights.Read))
            reply.Raw("\\NoAccess "u8);
        if (mailbox.Subscribed)
            reply.Raw("\\Subscribed "u8);
        reply.Raw(mailbox.HasChildren ? "\\HasChildren"u8 : "\\HasNoChildren"u8);
        foreach (string use in mailbox.Info?.SpecialUse ?? [])
            reply.Space().Raw(use);
        reply.Raw(") "u8).Delimiter(user.Names).Space().Mailbox(mailbox.OnWire.ToString(user.Names.Delimiter));
        if (oldName is not null)
            reply.Raw(" (\"OLDNAME\" ("u8).Mailbox(oldName.ToString(user.Names.Delimiter)).Raw("))"u8);
        reply.NewLine();
    }
}
