using MailCluster.Contracts;
using MailCluster.Imap.Session;

namespace MailCluster.Imap.Commands;

/// <summary>A name that LIST may show: one that exists, is subscribed, or stands above one of these.</summary>
/// <param name="OnWire">Its levels as the client sees them, those of the namespace's prefix included.</param>
/// <param name="Info">Null for a name that is only subscribed, or only stands above others.</param>
/// <param name="Account">Whose it is, where there is one.</param>
internal sealed record ListedMailbox(MailboxPath OnWire, MailboxInfo? Info, bool Subscribed, AccountId Account = default)
{
    /// <summary>Something exists below it.</summary>
    public bool HasChildren => Below.Exists(static below => below.Info is not null);

    /// <summary>All names below, at any depth.</summary>
    public List<ListedMailbox> Below { get; } = [];

    /// <summary>All names in order, parents before their children.</summary>
    /// <param name="shared">Those of others; null: none are asked for.</param>
    public static IReadOnlyList<ListedMailbox> Of(MailboxTree tree, SharedTree? shared, ImapUser user)
    {
        MailboxNames names = user.Names;
        var all = new SortedDictionary<MailboxPath, ListedMailbox>();
        foreach (MailboxInfo info in tree.Mailboxes)
        {
            MailboxPath path = names.OnWire(info.Path);
            all[path] = new ListedMailbox(path, info, false, user.Settings.Account);
        }
        // A namespace that is switched off shows nothing.
        foreach (SharedMailbox mailbox in shared?.Mailboxes.Where(m => names.Shows(m.Store)) ?? [])
        {
            MailboxPath path = names.OnWire(mailbox);
            all[path] = new ListedMailbox(path, mailbox.Info with { SpecialUse = [] }, false, mailbox.Owner);
        }
        IEnumerable<MailboxPath> subscribedElsewhere = shared?.Subscriptions.Where(s => names.Shows(s.Store)).Select(s => MailboxPath.Parse(names.NameOf(s.User, s.Store, s.Path), names.Delimiter)) ?? [];
        foreach (MailboxPath path in tree.Subscriptions.Select(names.OnWire).Concat(subscribedElsewhere))
            all[path] = all.TryGetValue(path, out ListedMailbox? known) ? known with { Subscribed = true } : new ListedMailbox(path, null, true);
        foreach (MailboxPath path in all.Keys.ToList())
        {
            for (MailboxPath? parent = path.Parent; parent is not null && !all.ContainsKey(parent); parent = parent.Parent)
                all[parent] = new ListedMailbox(parent, null, false);
        }
        foreach (ListedMailbox mailbox in all.Values)
        {
            for (MailboxPath? parent = mailbox.OnWire.Parent; parent is not null; parent = parent.Parent)
                all[parent].Below.Add(mailbox);
        }
        return [.. all.Values];
    }
}
