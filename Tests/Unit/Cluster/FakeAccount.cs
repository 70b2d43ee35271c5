using System.Collections.Concurrent;
using MailCluster.Contracts;
using MailCluster.Storage.Directories;

namespace MailCluster.Tests.Unit.Cluster;

/// <summary>An account with a password and some folders.</summary>
internal sealed class FakeAccount(AccountSettings settings, string password = "secret") : IAccountGrain
{
    private readonly ScramVerifier _verifier = ScramVerifier.Parse(ScramVerifier.Create(password))!;

    /// <summary>Who lets nobody in.</summary>
    public static FakeAccount Nobody => new(SettingsOf(-1, -1, "nobody"), Guid.NewGuid().ToString());

    public AccountSettings Current { get; set; } = settings;

    /// <summary>The last log-in.</summary>
    public LoginRequest? Asked { get; private set; }

    public List<MailboxInfo> Mailboxes { get; } = [new(new MailboxId(settings.Account.Value * 10), MailboxPath.Inbox, true, [], null)];

    public ConcurrentQueue<string> Ended { get; } = new();

    public ConcurrentQueue<IReadOnlyList<LoginRequest>> Renewals { get; } = new();

    /// <summary>Released once for each renewal.</summary>
    public SemaphoreSlim Renewed { get; } = new(0);

    public MailError? Answer { get; set; }

    public static AccountSettings SettingsOf(long account, long tenant, string user) =>
        new(new AccountId(account), new TenantId(tenant), user, '/', "", DeliveryState.On, null, null);

    public MailboxInfo AddFolder(long id, params string[] path)
    {
        var folder = new MailboxInfo(new MailboxId(id), MailboxPath.Of(path), true, [], null);
        Mailboxes.Add(folder);
        return folder;
    }

    public List<long> Attempts { get; } = [];

    /// <summary>Calls of Authenticate that get no answer, from now on.</summary>
    public int Lost { get; set; }

    public ValueTask<MailResult<AccountSession>> Authenticate(LoginRequest request)
    {
        Asked = request;
        Attempts.Add(request.Attempt);
        if (Lost-- > 0)
            throw new TimeoutException();
        ValueTask<MailResult<AccountSession>> answer = Answered(request);
        Authenticated?.Invoke();
        return answer;
    }

    /// <summary>Called at each log-in, once its answer is made.</summary>
    public Action? Authenticated { get; set; }

    private ValueTask<MailResult<AccountSession>> Answered(LoginRequest request) => new(
        Answer is { } error ? error
        : request.Verified is not null || request.Password == password ? new AccountSession(request.SessionId, Current)
        : request.Scram is { } proof && _verifier.Verify(proof.AuthMessage, proof.Proof) is { } signature ? new AccountSession(request.SessionId, Current, signature)
        : new MailError(MailErrorCode.AuthenticationFailed, "wrong password"));

    public ValueTask<MailResult<ScramParameters>> BeginScram(string user, ScramHash hash) => new(new ScramParameters(_verifier.Salt, _verifier.Iterations));

    public ValueTask EndSession(string sessionId)
    {
        Ended.Enqueue(sessionId);
        return ValueTask.CompletedTask;
    }

    public ValueTask RenewSessions(IReadOnlyList<LoginRequest> sessions)
    {
        Renewals.Enqueue(sessions);
        Renewed.Release();
        return ValueTask.CompletedTask;
    }

    public ValueTask<MailResult<AccountSettings>> Settings() => new(Answer is { } error ? error : Current);

    /// <summary>Called at each List, once its answer is made.</summary>
    public Action? Listing { get; set; }

    public ValueTask<MailResult<MailboxTree>> List(bool withStatus)
    {
        var tree = new MailboxTree([.. Mailboxes], []);
        Listing?.Invoke();
        return new(tree);
    }

    public ValueTask<MailResult<MailboxInfo>> Find(MailboxPath path) =>
        new(Mailboxes.Find(m => m.Path.Equals(path)) is { } found ? found : new MailError(MailErrorCode.NonExistent, "none"));

    public ValueTask<IReadOnlyList<SessionInfo>> Sessions() => throw new NotSupportedException();

    public ValueTask<MailResult<MailboxStatus>> Status(MailboxPath path) => throw new NotSupportedException();

    public ValueTask<MailResult<MailboxInfo>> Create(OperationId operation, MailboxPath path, IReadOnlyList<string> specialUse) =>
        new(AddFolder((Current.Account.Value * 10) + Mailboxes.Count + 1, [.. path.Segments]));

    public ValueTask<MailResult<Done>> Delete(OperationId operation, MailboxPath path) => throw new NotSupportedException();

    public ValueTask<MailResult<Done>> Rename(OperationId operation, MailboxPath from, MailboxPath to) => throw new NotSupportedException();

    public ValueTask<MailResult<Done>> Subscribe(MailboxPath path, bool subscribed) => new(Done.Value);

    public ValueTask<MailResult<bool>> MayLogIn() => new(new MailResult<bool>(true, null));

    public ValueTask Changed() => throw new NotSupportedException();

    public ValueTask<MailResult<MailboxStatus>> StatusOf(StatusRequest request) => throw new NotSupportedException();

    public ValueTask<MailResult<MailboxTree>> ListWith(ListRequest request) => throw new NotSupportedException();

    public AccountQuota CurrentQuota { get; set; } = new(new QuotaRoot("user/x", new QuotaUsage(0, 0), new QuotaLimits(null, null)), null);

    public ValueTask<MailResult<AccountQuota>> Quota(AccountId asking) =>
        new(Answer is { } error ? error : asking == Current.Account ? CurrentQuota : new MailError(MailErrorCode.NonExistent, "No such account."));

    public ValueTask<MailResult<AccountQuota>> SetQuota(AccountId actor, QuotaLimits limits) => throw new NotSupportedException();

    public ValueTask<MailResult<IReadOnlyList<MetadataEntry>>> GetMetadata(MetadataRequest request) => throw new NotSupportedException();

    public ValueTask<MailResult<Done>> SetMetadata(SetMetadataRequest request) => throw new NotSupportedException();

    public ValueTask<MailResult<IReadOnlyList<MailboxMetadata>>> ListMetadata(IReadOnlyList<string> entries) => throw new NotSupportedException();

    public ValueTask<MailResult<MailboxInfo>> FindAs(MailboxPath path, AccountId viewer) => throw new NotSupportedException();

    public ValueTask<MailResult<MailboxInfo>> CreateAs(OperationId operation, MailboxPath path, IReadOnlyList<string> specialUse, AccountId viewer) => throw new NotSupportedException();

    public ValueTask<MailResult<Done>> DeleteAs(OperationId operation, MailboxPath path, AccountId viewer) => throw new NotSupportedException();

    public ValueTask<MailResult<Done>> RenameAs(OperationId operation, MailboxPath from, MailboxPath to, AccountId viewer) => throw new NotSupportedException();

    public ValueTask<MailResult<Done>> SubscribeTo(AccountId owner, MailboxPath path, bool subscribed) => throw new NotSupportedException();

    public ValueTask<MailResult<SharedTree>> ListShared(ListRequest request) => throw new NotSupportedException();

    public ValueTask<MailResult<MailboxRights>> Acl(MailboxPath path, AccountId viewer) => throw new NotSupportedException();

    public ValueTask<MailResult<Done>> SetAcl(SetAclRequest request) => throw new NotSupportedException();

    public ValueTask<MailResult<AccountQuota>> QuotaOf(MailboxPath path, AccountId viewer) => throw new NotSupportedException();
}

/// <summary>An operator; without a password nobody.</summary>
internal sealed class FakeOperator(string? password = null, params TenantId[] tenants) : IOperatorGrain
{
    private readonly ScramVerifier _verifier = ScramVerifier.Parse(ScramVerifier.Create(password ?? Guid.NewGuid().ToString()))!;

    public ValueTask<MailResult<ScramParameters>> BeginScram(string name, ScramHash hash) => new(new ScramParameters(_verifier.Salt, _verifier.Iterations));

    public ValueTask<MailResult<OperatorPass>> Authenticate(LoginRequest request) => new(
        request.Password is not null && request.Password == password ? new OperatorPass("ops", tenants, null)
        : request.Scram is { } proof && _verifier.Verify(proof.AuthMessage, proof.Proof) is { } signature ? new OperatorPass("ops", tenants, signature)
        : new MailError(MailErrorCode.AuthenticationFailed, "wrong password"));
}

/// <summary>Users and addresses in dictionaries.</summary>
internal sealed class FakeDirectory : IDirectoryGrain
{
    public Dictionary<string, AccountRef> Users { get; } = new(StringComparer.OrdinalIgnoreCase);

    public Dictionary<string, AccountRef[]> Aliases { get; } = new(StringComparer.OrdinalIgnoreCase);

    public Exception? Outage { get; set; }

    public HashSet<string> Operators { get; } = [];

    public List<TokenIssuer> Issuers { get; } = [];

    public ValueTask<IReadOnlyList<TokenIssuer>> FindIssuers(string? user, string? issuer) => new([.. Issuers.Where(i =>
        user is null ? i.Issuer == issuer : Users.Values.Any(a => a.Tenant == i.Tenant && DomainOf(a.User).Equals(DomainOf(user), StringComparison.OrdinalIgnoreCase)))]);

    private static string DomainOf(string user) => user[(user.LastIndexOf('@') + 1)..];

    public ValueTask<bool> IsOperator(string name) => new(Operators.Contains(name));

    public HashSet<string> Domains { get; } = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Targets of aliases, as written.</summary>
    public Dictionary<string, string[]> Targets { get; } = new(StringComparer.OrdinalIgnoreCase);

    public ValueTask<bool> HasDomain(string domain) => Outage is { } outage ? throw outage : new(Domains.Contains(domain));

    public ValueTask<IReadOnlyList<string>> FindAlias(string address) => Outage is { } outage ? throw outage : new(Targets.GetValueOrDefault(address) ?? []);

    public ValueTask<AccountRef?> FindUser(string user) =>
        Outage is { } outage ? throw outage : new(Users.GetValueOrDefault(user));

    public ValueTask<AccountRef?> FindNeighbour(string user, TenantId tenant) => new(Users.GetValueOrDefault(user) is { } found && found.Tenant == tenant ? found : null);

    /// <summary>Called when a recipient is looked up; may wait.</summary>
    public Func<string, Task>? OnFindRecipients { get; set; }

    public async ValueTask<IReadOnlyList<Recipient>> FindRecipients(string address)
    {
        if (Outage is { } outage)
            throw outage;
        if (OnFindRecipients is { } wait)
            await wait(address);
        int at = address.LastIndexOf('@');
        int plus = at < 0 ? -1 : address.IndexOf('+', 0, at);
        string? detail = plus < 0 ? null : address[(plus + 1)..at];
        string plain = plus < 0 ? address : address[..plus] + address[at..];
        AccountRef[] accounts = Aliases.GetValueOrDefault(plain) ?? (Users.TryGetValue(plain, out AccountRef? account) ? [account] : []);
        return [.. accounts.Select(a => new Recipient(a, detail))];
    }
}
