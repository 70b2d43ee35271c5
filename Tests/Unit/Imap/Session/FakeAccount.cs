using MailCluster.Contracts;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>The owner of the one account, and the directory that knows it.</summary>
internal sealed partial class FakeAccount(FakeMail mail) : IAccountGrain, IAccountEvents, IDirectoryGrain
{
    private readonly Dictionary<IAccountObserver, (long Registration, long Sent)> _watchers = [];
    private readonly SortedDictionary<MailboxPath, MailboxInfo> _tree = [];
    private readonly SortedSet<MailboxPath> _subscriptions = [];
    private long _next;

    /// <summary>What log-ins get.</summary>
    public AccountSettings Account { get; set; } = new(FakeMail.Account, new TenantId(1), "alice", '/', "", DeliveryState.On, null, null);

    /// <summary>Answers as if PostgreSQL could not be reached.</summary>
    public bool Unreachable { get; set; }

    public MailboxInfo Add(MailboxPath path, params string[] uses)
    {
        var info = new MailboxInfo(new MailboxId(++_next), path, true, uses, null);
        _tree[path] = info;
        var key = new MailboxKey(FakeMail.Account, info.Id);
        var owner = new FakeMailbox(mail, key);
        mail.Mailboxes[key] = owner;
        owner.Publish();
        return info;
    }

    /// <summary>Not null: the answer to every log-in.</summary>
    public MailError? RefuseLogin { get; set; }

    /// <summary>The last log-in that was tried.</summary>
    public LoginRequest? LastLogin { get; private set; }

    public ValueTask<MailResult<AccountSession>> Authenticate(LoginRequest request)
    {
        LastLogin = request;
        if (RefuseLogin is { } refused)
            return new(refused);
        return new(request.Password == "secret" || request.Verified is not null
            ? new AccountSession(request.SessionId, Account)
            : (MailResult<AccountSession>)new MailError(MailErrorCode.AuthenticationFailed, "Wrong."));
    }

    /// <summary>What is pushed is lost on the way.</summary>
    public bool LosesPushes { get; set; }

    /// <summary>Registrations of processes that watch.</summary>
    public int Watchers
    {
        get
        {
            lock (_watchers)
                return _watchers.Count;
        }
    }

    public ValueTask<MailResult<AccountWatching>> Watch(IAccountObserver observer) => Do<AccountWatching>(() =>
    {
        lock (_watchers)
        {
            if (!_watchers.TryGetValue(observer, out (long Registration, long Sent) known))
                _watchers[observer] = known = (_watchers.Count + 1, 0);
            return new AccountWatching(known.Registration, known.Sent);
        }
    });

    public ValueTask Unwatch(IAccountObserver observer)
    {
        lock (_watchers)
            _watchers.Remove(observer);
        return default;
    }

    public ValueTask SharingChanged() => default;

    public ValueTask<bool> Heard(MailboxId mailbox, MailboxStatus? counters)
    {
        Push(counters, tree: false);
        return new(true);
    }

    private void Push(MailboxStatus? counters, bool tree)
    {
        lock (_watchers)
        {
            foreach ((IAccountObserver observer, (long registration, long sent)) in _watchers.ToList())
            {
                _watchers[observer] = (registration, sent + 1);
                if (!LosesPushes)
                    observer.Changed(FakeMail.Account, new AccountNews(registration, sent + 1, counters, tree));
            }
        }
    }

    public ValueTask<MailResult<ScramParameters>> BeginScram(string user, ScramHash hash) => new(new ScramParameters(new byte[16], 4096));

    public ValueTask<IReadOnlyList<TokenIssuer>> FindIssuers(string? user, string? issuer) => new([]);

    public ValueTask<bool> IsOperator(string name) => new(name == "ops");

    public ValueTask EndSession(string sessionId) => default;

    public ValueTask RenewSessions(IReadOnlyList<LoginRequest> sessions) => default;

    public ValueTask<IReadOnlyList<SessionInfo>> Sessions() => new([]);

    public ValueTask<MailResult<AccountSettings>> Settings() => new(Account);

    public ValueTask<MailResult<MailboxTree>> List(bool withStatus) => ListWith(new ListRequest(withStatus));

    public ValueTask<MailResult<MailboxTree>> ListWith(ListRequest request) => Do<MailboxTree>(() => new MailboxTree(
        [.. _tree.Values.Select(info => request.Status && info.Selectable ? info with { Status = Owner(info).StatusNow } : info)], [.. _subscriptions]));

    public ValueTask<MailResult<MailboxInfo>> Find(MailboxPath path) => Do(() => Existing(path));

    public ValueTask<MailResult<MailboxStatus>> Status(MailboxPath path) => StatusOf(new StatusRequest(path));

    public ValueTask<MailResult<MailboxStatus>> StatusOf(StatusRequest request) => Do<MailboxStatus>(() =>
        Existing(request.Path) is { Value: { Selectable: true } info } ? Owner(info).StatusNow : Missing);

    public ValueTask<MailResult<MailboxInfo>> Create(OperationId operation, MailboxPath path, IReadOnlyList<string> specialUse) => Do<MailboxInfo>(tree: true, work: () =>
    {
        if (_tree.TryGetValue(path, out MailboxInfo? known) && known.Selectable)
            return new MailError(MailErrorCode.AlreadyExists, "It exists.");
        for (MailboxPath? parent = path.Parent; parent is not null; parent = parent.Parent)
        {
            if (!_tree.ContainsKey(parent))
                Add(parent);
        }
        return Add(path, [.. specialUse]);
    });

    public ValueTask<MailResult<Done>> Delete(OperationId operation, MailboxPath path) => Do<Done>(tree: true, work: () =>
    {
        if (path.IsInbox)
            return new MailError(MailErrorCode.Cannot, "INBOX stays.");
        if (Existing(path) is not { Value: { } info })
            return Missing;
        bool children = _tree.Keys.Any(p => p.IsBelow(path));
        if (!info.Selectable && children)
            return new MailError(MailErrorCode.InUse, "It has children.");
        if (children)
            _tree[path] = info with { Selectable = false };
        else
            _tree.Remove(path);
        _ = Owner(info).End(MailboxEnd.Deleted);
        return Done.Value;
    });

    public ValueTask<MailResult<Done>> Rename(OperationId operation, MailboxPath from, MailboxPath to) => Do<Done>(tree: true, work: () =>
    {
        if (Existing(from) is not { Value: not null })
            return Missing;
        if (_tree.ContainsKey(to))
            return new MailError(MailErrorCode.AlreadyExists, "It exists.");
        foreach (MailboxInfo info in _tree.Values.Where(i => i.Path.Equals(from) || i.Path.IsBelow(from)).ToList())
        {
            _tree.Remove(info.Path);
            MailboxPath path = info.Path.Rebase(from, to);
            _tree[path] = info with { Path = path };
        }
        return Done.Value;
    });

    public ValueTask<MailResult<Done>> Subscribe(MailboxPath path, bool subscribed) => Do<Done>(tree: true, work: () =>
    {
        _ = subscribed ? _subscriptions.Add(path) : _subscriptions.Remove(path);
        return Done.Value;
    });

    public ValueTask<MailResult<bool>> MayLogIn() => new(new MailResult<bool>(true, null));

    public ValueTask Changed() => default;

    /// <summary>Every name is this account's: no answer is slowed down because nobody has it.</summary>
    public bool HasEveryName { get; set; }

    public ValueTask<AccountRef?> FindUser(string user) => new(user == "alice" || HasEveryName ? new AccountRef(FakeMail.Account, new TenantId(1), user) : null);

    public ValueTask<AccountRef?> FindNeighbour(string user, TenantId tenant) => FindUser(user);

    public ValueTask<IReadOnlyList<Recipient>> FindRecipients(string address) => new([]);

    public ValueTask<bool> HasDomain(string domain) => new(false);

    public ValueTask<IReadOnlyList<string>> FindAlias(string address) => new([]);

    private static MailError Missing => new(MailErrorCode.NonExistent, "There is none.");

    private FakeMailbox Owner(MailboxInfo info) => mail.Mailboxes[new MailboxKey(FakeMail.Account, info.Id)];

    private MailResult<MailboxInfo> Existing(MailboxPath path) => _tree.TryGetValue(path, out MailboxInfo? info) ? info : Missing;

    private ValueTask<MailResult<T>> Do<T>(Func<MailResult<T>> work, bool tree = false)
    {
        MailResult<T> result;
        lock (_tree)
            result = Unreachable ? new MailError(MailErrorCode.Unavailable, "Unreachable.") : work();
        if (tree)
            Push(null, tree: true);
        return new(result);
    }
}
