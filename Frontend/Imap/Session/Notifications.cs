using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Session;

/// <summary>
/// What a client has asked by NOTIFY SET (RFC 5465), what it has been told of its account, and the waits for more. The selected mailbox is told by its view as ever; of other mailboxes
/// the told state is compared with what the process knows, so that whatever came in between is told once, by its result.
/// </summary>
internal sealed class Notifications : IDisposable
{
    private readonly NotifyGroup? _selected;
    private readonly (NotifyFilter Filter, MailboxPath[] Paths, NotifyEvents Events)[] _groups;
    private readonly CancellationTokenSource _stop = new();
    private CancellationTokenSource? _selectedStop;
    private SelectedMailbox? _awaited;
    private bool _isAhead;
    private readonly MailboxNames _names;
    private News? _selectedNews;
    private News? _accountNews;

    /// <param name="watch">The account, already read; null where no group is about other mailboxes than the selected one.</param>
    public Notifications(IReadOnlyList<NotifyGroup> groups, MailboxNames names, AccountWatch? watch)
    {
        _selected = groups.FirstOrDefault(static g => g.Filter <= NotifyFilter.SelectedDelayed);
        _groups = [.. groups.Where(static g => g.Filter > NotifyFilter.SelectedDelayed).Select(g => (
            g.Filter, g.Names.Select(n => names.OtherOnWire(n) ?? (names.Find(n) is { } own ? names.OnWire(own) : null)).OfType<MailboxPath>().ToArray(), g.Events))];
        _names = names;
        Others = new NotifiedOthers(this);
        Watch = watch;
        Told = watch?.Current ?? AccountState.Empty;
    }

    /// <summary>NOTIFY NONE.</summary>
    public static Notifications None => new([], new MailboxNames('/', ""), null);

    public AccountWatch? Watch { get; }

    /// <summary>The account as the client knows it.</summary>
    public AccountState Told { get; set; }

    /// <summary>The mailboxes of others.</summary>
    public NotifiedOthers Others { get; }

    /// <summary>Whether groups may be about mailboxes of others: subscribed ones, or by name.</summary>
    public static bool IsAboutOthers(NotifyGroup group, MailboxNames names) =>
        group.Events != NotifyEvents.None && (group.Filter == NotifyFilter.Subscribed || group.Names.Any(n => names.OtherOnWire(n) is not null));

    /// <summary>EXISTS, EXPUNGE and VANISHED of the selected mailbox.</summary>
    public bool TellsMessages => _selected is { Events: var events } && (events & NotifyEvents.MessageNew) != 0;

    /// <summary>FETCH with the flags that others change in the selected mailbox.</summary>
    public bool TellsFlags => _selected is { Events: var events } && (events & NotifyEvents.FlagChange) != 0;

    /// <summary>FETCH with the names of annotations that others change in the selected mailbox (RFC 5257).</summary>
    public bool TellsAnnotations => _selected is { Events: var events } && (events & NotifyEvents.AnnotationChange) != 0;

    /// <summary>What is fetched of new messages of the selected mailbox.</summary>
    public IReadOnlyList<FetchAttribute>? Fetch => TellsMessages ? _selected!.Fetch : null;

    /// <summary>Whether EXPUNGE is told: with SELECTED at any time, also where RFC 9051 §7.5.1 would hold it back (RFC 5465 §6.1.1).</summary>
    public bool TellsExpunged(bool allowed) => TellsMessages && (allowed || _selected!.Filter == NotifyFilter.Selected);

    /// <summary>The events of a mailbox that is not selected. Any mailbox of the account may have mail delivered to it, so that INBOXES is PERSONAL (RFC 5465 §6.3).</summary>
    /// <param name="onWire">Its levels as the client sees them.</param>
    public NotifyEvents EventsOf(MailboxPath onWire, bool subscribed)
    {
        bool personal = !_names.IsOther(onWire.ToString(_names.Delimiter));
        NotifyEvents events = NotifyEvents.None;
        foreach ((NotifyFilter filter, MailboxPath[] paths, NotifyEvents asked) in _groups)
        {
            bool matches = filter switch
            {
                NotifyFilter.Inboxes or NotifyFilter.Personal => personal,
                NotifyFilter.Subscribed => subscribed,
                NotifyFilter.Subtree => Array.Exists(paths, p => onWire.Equals(p) || onWire.IsBelow(p)),
                _ => Array.Exists(paths, onWire.Equals),
            };
            if (matches)
                events |= asked;
        }
        return events;
    }

    /// <summary>Some group asks for an event that is no mailbox's.</summary>
    public bool Wants(NotifyEvents one) => Array.Exists(_groups, g => (g.Events & one) != 0);

    /// <summary>This session's own command has added messages to a mailbox: no news for its client (RFC 5465 §5).</summary>
    public void OwnAdded(MailboxId mailbox, UidSet uids, long modSeq)
    {
        if (Others.OwnAdded(mailbox, uids, modSeq))
            return;
        // Where others came in between, all of it is told.
        if (Told.Find(mailbox)?.Status is not { } known || known.HighestModSeq != modSeq - 1 || uids.IsEmpty)
            return;
        Told = Told.With(With(known, uids, modSeq));
        _isAhead = true;
    }

    /// <summary>The session has left its selected mailbox: what the client was told of it there is what it knows, and what has happened there beyond that is told.</summary>
    public void Left(SelectedMailbox mailbox)
    {
        if (Others.Left(mailbox) || Told.Find(mailbox.Key.Mailbox)?.Status is not { } known)
            return;
        Told = Told.WithCounters(Known(known, mailbox));
        _isAhead = true;
        LookAtAccount();
    }

    internal static MailboxStatus Known(MailboxStatus known, SelectedMailbox left)
    {
        MailboxStatus told = left.View?.Messages is { } view ? known with { UidValidity = left.UidValidity, UidNext = view.UidNext, Messages = view.Count, HighestModSeq = view.ModSeq } : left.Told.Status;
        // Where others came in between, all of it is told.
        return left.Closed is { Uids: var removed } closed && closed.ModSeq == told.HighestModSeq + 1
            ? told with { Messages = told.Messages - removed.Cardinality, HighestModSeq = closed.ModSeq }
            : told;
    }

    internal static MailboxStatus With(MailboxStatus known, UidSet added, long modSeq) =>
        known with { HighestModSeq = modSeq, UidNext = added[^1].Last + 1, Messages = known.Messages + added.Cardinality };

    /// <summary>The process's state as this session sees it: what it has added itself is in it, also where the process has yet to hear of that.</summary>
    public AccountState Seen(AccountState now)
    {
        if (!_isAhead)
            return now;
        AccountState seen = now.WithNewer(Told);
        _isAhead = !ReferenceEquals(seen, now);
        return seen;
    }

    public ValueTask OwnCreatedAsync(MailboxInfo mailbox, CommandWait wait) => OwnAsync(wait, told => told.WithTree([.. told.Mailboxes, mailbox], told.Subscriptions));

    public ValueTask OwnDeletedAsync(MailboxPath path, CommandWait wait) => OwnAsync(wait, told => told.WithTree(told.Mailboxes.Where(m => !m.Path.Equals(path)), told.Subscriptions));

    public ValueTask OwnRenamedAsync(MailboxPath from, MailboxPath to, CommandWait wait) => OwnAsync(wait, told => told.WithTree(
        told.Mailboxes.Select(m => m.Path.Equals(from) || (!from.IsInbox && m.Path.IsBelow(from)) ? m with { Path = m.Path.Rebase(from, to) } : m), told.Subscriptions));

    public ValueTask OwnSubscribedAsync(MailboxPath path, bool subscribed, CommandWait wait) => OwnAsync(wait, told => told.WithTree(
        told.Mailboxes, subscribed ? [.. told.Subscriptions, path] : told.Subscriptions.Where(p => !p.Equals(path))));

    /// <param name="path">Null: the server.</param>
    public ValueTask OwnAnnotatedAsync(MailboxPath? path, IReadOnlyList<MetadataValue> entries, CommandWait wait) => OwnAsync(wait, told =>
        path is null ? told.WithAnnotations(default, entries)
        : told.Mailboxes.FirstOrDefault(m => m.Path.Equals(path)) is { } mailbox ? told.WithAnnotations(mailbox.Id, entries)
        : told);

    /// <summary>
    /// What the session has changed in the tree itself is no news (RFC 5465 §5). The tree is read first, so that what is compared with what is told is not older; where that can't be done
    /// the change is told like those of others.
    /// </summary>
    private async ValueTask OwnAsync(CommandWait wait, Func<AccountState, AccountState> change)
    {
        if (Watch is not null && (await Watch.SyncAsync(wait)).IsOk)
            Told = change(Told);
    }

    /// <summary>The selected mailbox has, or may have, news.</summary>
    public bool SelectedIsDue(SelectedMailbox mailbox) => !ReferenceEquals(_awaited, mailbox) || _selectedNews is not { HasCome: false };

    public bool AccountIsDue => _accountNews is not { HasCome: false };

    /// <summary>IDLE begins: what was held back may be told.</summary>
    public void LookAgain() => _awaited = null;

    internal CancellationToken Stopped => _stop.Token;

    /// <param name="wait">Ends with true when there is news.</param>
    public void AwaitSelected(SelectedMailbox mailbox, Func<MailboxSnapshot?, CancellationToken, ValueTask<bool>> wait, Action wake)
    {
        _selectedStop?.Cancel();
        _selectedStop = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        _awaited = mailbox;
        _ = AwaitAsync(wait(mailbox.View?.Followed, _selectedStop.Token), _selectedNews = new News(), wake);
    }

    /// <summary>The account may have changed, whatever is known here.</summary>
    public void LookAtAccount() => _accountNews = null;

    public void AwaitAccount(AccountState seen, Action wake) => _ = AwaitAsync(Watch!.WaitForChangeAsync(seen, _stop.Token), _accountNews = new News(), wake);

    internal static async Task AwaitAsync(ValueTask<bool> wait, News news, Action wake)
    {
        if (!await wait.ConfigureAwait(false))
            return;
        // Before the wake: whoever wakes up looks.
        news.HasCome = true;
        wake();
    }

    public void Dispose()
    {
        _stop.Cancel();
        Others.Dispose();
        Watch?.Dispose();
    }

    internal sealed class News
    {
        private volatile bool _hasCome;

        public bool HasCome
        {
            get => _hasCome;
            set => _hasCome = value;
        }
    }
}
