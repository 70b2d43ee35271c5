namespace MailCluster.Contracts;

/// <summary>
/// The owner of one account: log-in, sessions, the tree of its mailboxes, subscriptions. Key: <see cref="AccountId"/>'s number.
/// <para>Atomicity and order: every change of the tree is one transaction, on disk before the call returns, and seen by whatever starts afterwards on any node.
/// The tree's rows are read anew by each call, so that no memory of an owner can be stale; a single name may be told by its mailbox's owner, see <see cref="IMailboxGrain.Unname"/>.</para>
/// <para>Retries: CREATE, DELETE, RENAME, SUBSCRIBE are safe to repeat with the same <see cref="OperationId"/>.</para>
/// </summary>
[Alias("MailCluster.IAccountGrain")]
public interface IAccountGrain : IGrainWithIntegerKey
{
    /// <summary>
    /// Checks a password or a proof and, when it is right, opens a session. A success is remembered for some minutes without the password;
    /// failures are slowed down per account and per address, for longer than a call waits: its repetition, with the same <see cref="LoginRequest.Attempt"/>, joins it.
    /// Failures: <see cref="MailErrorCode.AuthenticationFailed"/>, <see cref="MailErrorCode.AuthorizationFailed"/> (log-in is off, or the tenant's policy does not allow this way),
    /// <see cref="MailErrorCode.Limit"/> (connections; too many failures), and for POP3
    /// <see cref="MailErrorCode.InUse"/> (another session has the maildrop) and <see cref="MailErrorCode.LoginDelay"/>. An account that does not exist behaves as one with another password.
    /// </summary>
    [Alias("Authenticate")]
    ValueTask<MailResult<AccountSession>> Authenticate(LoginRequest request);

    /// <summary>What a SCRAM proof is made of. <paramref name="user"/>: as the client wrote it, for users that do not exist.</summary>
    [Alias("BeginScram")]
    ValueTask<MailResult<ScramParameters>> BeginScram(string user, ScramHash hash);

    /// <summary>Ends a session's lease. Unknown sessions are passed over.</summary>
    [Alias("EndSession")]
    ValueTask EndSession(string sessionId);

    /// <summary>Renews the leases of one front-end process's sessions; a lease that is not renewed for <see cref="AccountLimits.SessionLease"/> ends.</summary>
    [Alias("RenewSessions")]
    ValueTask RenewSessions(IReadOnlyList<LoginRequest> sessions);

    /// <summary>The sessions of this account, on all front ends.</summary>
    [Alias("Sessions")]
    ValueTask<IReadOnlyList<SessionInfo>> Sessions();

    /// <summary>For deliveries: whether and with which settings the account takes mail.</summary>
    [Alias("Settings")]
    ValueTask<MailResult<AccountSettings>> Settings();

    /// <summary>Every mailbox and subscription of the account, in path order. With <paramref name="withStatus"/> the counters of each, see <see cref="Status"/>: still one query, no mailbox is loaded.</summary>
    [Alias("List"), ResponseTimeout(AccountLimits.TreeTimeout)]
    ValueTask<MailResult<MailboxTree>> List(bool withStatus);

    /// <summary>The mailbox of a name, not necessarily with special uses and counters; <see cref="MailErrorCode.NonExistent"/>.</summary>
    [Alias("Find")]
    ValueTask<MailResult<MailboxInfo>> Find(MailboxPath path);

    /// <summary>
    /// The counters of a name's mailbox (STATUS): those of the version that its owner has published, from its row where nobody has it in memory.
    /// What is told here is told by whatever starts afterwards, too.
    /// </summary>
    [Alias("Status")]
    ValueTask<MailResult<MailboxStatus>> Status(MailboxPath path);

    /// <summary>
    /// Creates a mailbox and the parents that are missing (RFC 9051 §6.3.4), with special uses (RFC 6154 §3).
    /// Failures: <see cref="MailErrorCode.AlreadyExists"/>, <see cref="MailErrorCode.Cannot"/> (name), <see cref="MailErrorCode.Limit"/>, <see cref="MailErrorCode.UseAttribute"/>.
    /// </summary>
    [Alias("Create"), ResponseTimeout(AccountLimits.TreeTimeout)]
    ValueTask<MailResult<MailboxInfo>> Create(OperationId operation, MailboxPath path, IReadOnlyList<string> specialUse);

    /// <summary>
    /// Deletes a mailbox (RFC 9051 §6.3.5); with children it becomes a name that can't be selected. Its sessions end. Its quota returns at once.
    /// Failures: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.Cannot"/> (INBOX), <see cref="MailErrorCode.InUse"/> (already a bare name with children).
    /// </summary>
    [Alias("Delete"), ResponseTimeout(AccountLimits.TreeTimeout)]
    ValueTask<MailResult<Done>> Delete(OperationId operation, MailboxPath path);

    /// <summary>
    /// Renames a mailbox and all below it (RFC 9051 §6.3.6). Renaming INBOX moves its messages away under the new name and leaves a new, empty INBOX.
    /// Failures: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.AlreadyExists"/>, <see cref="MailErrorCode.Cannot"/>.
    /// </summary>
    [Alias("Rename"), ResponseTimeout(AccountLimits.TreeTimeout)]
    ValueTask<MailResult<Done>> Rename(OperationId operation, MailboxPath from, MailboxPath to);

    /// <summary>Adds or takes away a name of the subscription list; it need not exist (RFC 9051 §6.3.7, §6.3.8).</summary>
    [Alias("Subscribe")]
    ValueTask<MailResult<Done>> Subscribe(MailboxPath path, bool subscribed);

    /// <summary>
    /// As <see cref="Status(MailboxPath)"/>, with what only some ask for.
    /// </summary>
    [Alias("StatusOf")]
    ValueTask<MailResult<MailboxStatus>> StatusOf(StatusRequest request);

    /// <summary>As <see cref="List(bool)"/>, with what only some ask for.</summary>
    [Alias("ListWith"), ResponseTimeout(AccountLimits.TreeTimeout)]
    ValueTask<MailResult<MailboxTree>> ListWith(ListRequest request);

    /// <summary>
    /// The quota roots of the account's mailboxes with what is in use now (RFC 9208), for the account itself or one that manages its tenant's;
    /// <see cref="MailErrorCode.NonExistent"/> for others.
    /// </summary>
    [Alias("Quota")]
    ValueTask<MailResult<AccountQuota>> Quota(AccountId asking);

    /// <summary>
    /// Sets the account's limits (RFC 9208 §4.1.3); a null limit is none, or, of mailboxes and annotations, that of all accounts.
    /// Failures: <see cref="MailErrorCode.NoPermission"/> (<paramref name="actor"/> does not manage the tenant's accounts), <see cref="MailErrorCode.NonExistent"/> (nor is it of this tenant).
    /// </summary>
    [Alias("SetQuota")]
    ValueTask<MailResult<AccountQuota>> SetQuota(AccountId actor, QuotaLimits limits);

    /// <summary>The annotations that were asked for and exist, by entry (RFC 5464 §4.2). Failure: <see cref="MailErrorCode.NonExistent"/> (the mailbox).</summary>
    [Alias("GetMetadata")]
    ValueTask<MailResult<IReadOnlyList<MetadataEntry>>> GetMetadata(MetadataRequest request);

    /// <summary>
    /// Sets or takes away annotations, all or none (RFC 5464 §4.3). Safe to repeat.
    /// Failures: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.TooManyAnnotations"/>, <see cref="MailErrorCode.OverQuota"/>,
    /// <see cref="MailErrorCode.NoPermission"/>, <see cref="MailErrorCode.UseAttribute"/> (<see cref="MetadataLimits.SpecialUse"/>).
    /// </summary>
    [Alias("SetMetadata")]
    ValueTask<MailResult<Done>> SetMetadata(SetMetadataRequest request);

    /// <summary>These annotations of all mailboxes of the account's tree (RFC 9590), in one query.</summary>
    [Alias("ListMetadata")]
    ValueTask<MailResult<IReadOnlyList<MailboxMetadata>>> ListMetadata(IReadOnlyList<string> entries);

    /// <summary>
    /// As <see cref="Find"/> for an account that need not be this one: with what it may do with the mailbox. <see cref="MailErrorCode.NonExistent"/> also where it may not know of it.
    /// </summary>
    [Alias("FindAs")]
    ValueTask<MailResult<MailboxInfo>> FindAs(MailboxPath path, AccountId viewer);

    /// <summary>
    /// As <see cref="Create"/>, by an account that need not be this one: it needs k on the nearest mailbox above the new one (RFC 4314 §4), whose list of rights the new one inherits.
    /// Failures also: <see cref="MailErrorCode.NoPermission"/>.
    /// </summary>
    [Alias("CreateAs"), ResponseTimeout(AccountLimits.TreeTimeout)]
    ValueTask<MailResult<MailboxInfo>> CreateAs(OperationId operation, MailboxPath path, IReadOnlyList<string> specialUse, AccountId viewer);

    /// <summary>As <see cref="Delete"/>, by an account that need not be this one: it needs x. Failures also: <see cref="MailErrorCode.NoPermission"/>.</summary>
    [Alias("DeleteAs"), ResponseTimeout(AccountLimits.TreeTimeout)]
    ValueTask<MailResult<Done>> DeleteAs(OperationId operation, MailboxPath path, AccountId viewer);

    /// <summary>As <see cref="Rename"/>, by an account that need not be this one: it needs x, and k above the new name. Failures also: <see cref="MailErrorCode.NoPermission"/>.</summary>
    [Alias("RenameAs"), ResponseTimeout(AccountLimits.TreeTimeout)]
    ValueTask<MailResult<Done>> RenameAs(OperationId operation, MailboxPath from, MailboxPath to, AccountId viewer);

    /// <summary>As <see cref="Subscribe"/>, to a mailbox of another account.</summary>
    [Alias("SubscribeTo")]
    ValueTask<MailResult<Done>> SubscribeTo(AccountId owner, MailboxPath path, bool subscribed);

    /// <summary>The mailboxes of others that this account may see (l), and its subscriptions to such, in one query; with their counters as this account counts them.</summary>
    [Alias("ListShared"), ResponseTimeout(AccountLimits.TreeTimeout)]
    ValueTask<MailResult<SharedTree>> ListShared(ListRequest request);

    /// <summary>
    /// The list of rights of a mailbox (RFC 4314 §3.3), for who has a; without lines of accounts whose tenant does not share with the mailbox's and with that of who asks.
    /// Failures: <see cref="MailErrorCode.NonExistent"/>, <see cref="MailErrorCode.NoPermission"/>.
    /// </summary>
    [Alias("Acl")]
    ValueTask<MailResult<MailboxRights>> Acl(MailboxPath path, AccountId viewer);

    /// <summary>
    /// Changes one line of a list of rights (RFC 4314 §3.1); on every node the new list counts when the call returns.
    /// Failures: <see cref="MailErrorCode.NonExistent"/> (the mailbox, or no account has that name whose tenant shares with the mailbox's and with that of who asks), <see cref="MailErrorCode.NoPermission"/>,
    /// <see cref="MailErrorCode.Cannot"/> (the mailbox's own account has all rights), <see cref="MailErrorCode.Limit"/>, <see cref="MailErrorCode.InUse"/> (an older node is in the cluster, which
    /// would not heed it).
    /// </summary>
    [Alias("SetAcl")]
    ValueTask<MailResult<Done>> SetAcl(SetAclRequest request);

    /// <summary>As <see cref="Quota"/>, for an account that may read (r) this mailbox.</summary>
    [Alias("QuotaOf")]
    ValueTask<MailResult<AccountQuota>> QuotaOf(MailboxPath path, AccountId viewer);

    /// <summary>Whether the account may log in, read from the directory now; false for an account that is gone.</summary>
    [Alias("MayLogIn")]
    ValueTask<MailResult<bool>> MayLogIn();

    /// <summary>The directory's row of this account changed (password, state, quota): forget what was remembered.</summary>
    [Alias("Changed")]
    ValueTask Changed();
}

public static class AccountLimits
{
    /// <summary>How long a call waits whose work a repetition does not join: longer than the largest tree takes on a busy machine.</summary>
    public const string TreeTimeout = "00:00:05";

    /// <summary>How long an account's owner goes by what it has read of the directory, unless it hears of a change.</summary>
    public static readonly TimeSpan DirectoryAge = TimeSpan.FromSeconds(5);

    /// <summary>How long a session counts after its front end was last heard of, unless an option says otherwise.</summary>
    public static readonly TimeSpan SessionLease = TimeSpan.FromSeconds(90);

    /// <summary>How long a process hears of an account after its last <see cref="IAccountEvents.Watch"/>; it renews at a third of this.</summary>
    public static readonly TimeSpan WatchLease = TimeSpan.FromSeconds(45);
}

/// <summary>A log-in: by password, by <paramref name="Scram"/>, or by what <paramref name="Verified"/> names.</summary>
/// <param name="Password">Null in a renewal. Never logged, never kept.</param>
/// <param name="Address">The client's address, without port.</param>
/// <param name="FrontEnd">The front-end process that holds the connection.</param>
/// <param name="Trusted">The client's address lies in trusted-networks: exempt from limits per address.</param>
/// <param name="Attempt">Numbers the session's attempts: a repeated call with the same one is the same guess. 0: not numbered.</param>
/// <param name="OnlyChecks">Opens no session: it is only asked whether the log-in is right.</param>
/// <param name="DelaySeconds">The least time since the account's last log-in by this protocol (RFC 2449 section 6.5); 0 for none.</param>
/// <param name="Scram">A proof in place of the password; null in a renewal.</param>
/// <param name="Secure">The client speaks TLS.</param>
/// <param name="Verified">What the front end has checked in place of a password: token, certificate, operator; null where the owner has to.</param>
/// <param name="Operator">Who acts as the user; null: the user.</param>
[GenerateSerializer, Immutable, Alias("LoginRequest")]
public sealed record LoginRequest(
    [property: Id(0)] string SessionId,
    [property: Id(1)] string? Password,
    [property: Id(2)] string Protocol,
    [property: Id(3)] string Mechanism,
    [property: Id(4)] string Address,
    [property: Id(5)] string FrontEnd,
    [property: Id(6)] bool Trusted,
    [property: Id(7)] long Attempt = 0,
    [property: Id(8)] bool OnlyChecks = false,
    [property: Id(9)] int DelaySeconds = 0,
    [property: Id(10)] ScramProof? Scram = null,
    [property: Id(11)] bool Secure = false,
    [property: Id(12)] string? Verified = null,
    [property: Id(13)] string? Operator = null)
{
    public override string ToString() => $"{Protocol} {Mechanism} {SessionId} from {Address}";
}

/// <param name="ServerSignature">For a SCRAM proof: shows the client that the server knows the verifier.</param>
/// <param name="AppPassword">The name of the application password that was used; null for another way.</param>
[GenerateSerializer, Immutable, Alias("AccountSession")]
public sealed record AccountSession(
    [property: Id(0)] string SessionId, [property: Id(1)] AccountSettings Settings, [property: Id(2)] byte[]? ServerSignature = null, [property: Id(3)] string? AppPassword = null);

/// <summary>What doors need to know of an account.</summary>
/// <param name="User">The address it logs in with.</param>
/// <param name="Delimiter">Between the levels of mailbox names on the wire.</param>
/// <param name="Deduplicate">Whether a byte-identical redelivery within 24 h is answered as delivered and not stored again: a setting of the tenant.</param>
/// <param name="Prefix">The personal namespace's prefix: empty, or e.g. "INBOX." (RFC 2342).</param>
/// <param name="OtherUsers">How the namespace of others' mailboxes begins, without the delimiter; null for "Other Users", empty for none.</param>
/// <param name="SharedFolders">That of accounts that are nobody's own; null for "Shared Folders".</param>
/// <param name="SharedStore">It is nobody's own: its mailboxes are listed as shared ones.</param>
/// <param name="Shares">The account's owner knows of shared mailboxes: one of the release before does not.</param>
/// <param name="Manages">It may set quotas of its tenant's accounts (RFC 9208), and the server's shared annotations that they read (RFC 5464).</param>
[GenerateSerializer, Immutable, Alias("AccountSettings")]
public sealed record AccountSettings(
    [property: Id(0)] AccountId Account,
    [property: Id(1)] TenantId Tenant,
    [property: Id(2)] string User,
    [property: Id(3)] char Delimiter,
    [property: Id(4)] string Prefix,
    [property: Id(5)] DeliveryState Delivery,
    [property: Id(6)] long? MaxBytes,
    [property: Id(7)] long? MaxMessages,
    [property: Id(8)] bool Deduplicate = true,
    [property: Id(9)] bool Manages = false,
    [property: Id(10)] string? OtherUsers = null,
    [property: Id(11)] string? SharedFolders = null,
    [property: Id(12)] bool SharedStore = false,
    [property: Id(13)] bool Shares = false)
{
    /// <summary>How names of others' mailboxes begin, without the delimiter; empty: there is no such namespace.</summary>
    public string OthersNamespace => Shares ? OtherUsers ?? "Other Users" : "";

    /// <summary>As <see cref="OthersNamespace"/>, of accounts that are nobody's own.</summary>
    public string SharedNamespace => Shares ? SharedFolders ?? "Shared Folders" : "";
}

/// <summary>Whether an account takes mail.</summary>
public enum DeliveryState
{
    On = 0,

    /// <summary>Try again later (4.x.x).</summary>
    Deferred,

    /// <summary>Refused (5.x.x).</summary>
    Refused,
}

[GenerateSerializer, Immutable, Alias("SessionInfo")]
public sealed record SessionInfo(
    [property: Id(0)] string SessionId,
    [property: Id(1)] string Protocol,
    [property: Id(2)] string Address,
    [property: Id(3)] string FrontEnd,
    [property: Id(4)] DateTimeOffset Since);

/// <param name="Selectable">False for a name that only has children (RFC 9051 §7.3.1: \NonExistent or \Noselect).</param>
/// <param name="SpecialUse">e.g. "\Sent" (RFC 6154 §2).</param>
/// <param name="Status">Null unless it was asked for.</param>
/// <param name="Rights">What who asked may do with it.</param>
[GenerateSerializer, Immutable, Alias("MailboxInfo")]
public sealed record MailboxInfo(
    [property: Id(0)] MailboxId Id,
    [property: Id(1)] MailboxPath Path,
    [property: Id(2)] bool Selectable,
    [property: Id(3)] IReadOnlyList<string> SpecialUse,
    [property: Id(4)] MailboxStatus? Status,
    [property: Id(5)] MailRights Rights = MailRights.All);

[GenerateSerializer, Immutable, Alias("MailboxTree")]
public sealed record MailboxTree([property: Id(0)] IReadOnlyList<MailboxInfo> Mailboxes, [property: Id(1)] IReadOnlyList<MailboxPath> Subscriptions);

/// <param name="DeletedBytes"><see cref="MailboxStatus.DeletedBytes"/> is asked for, too.</param>
/// <param name="Viewer">Who asks, where it is not the account itself: needs r, and has an UNSEEN of its own.</param>
[GenerateSerializer, Immutable, Alias("StatusRequest")]
public sealed record StatusRequest([property: Id(0)] MailboxPath Path, [property: Id(1)] bool DeletedBytes = false, [property: Id(2)] AccountId? Viewer = null);

/// <param name="Status">Counters are asked for, too.</param>
/// <param name="DeletedBytes">And <see cref="MailboxStatus.DeletedBytes"/>.</param>
[GenerateSerializer, Immutable, Alias("ListRequest")]
public sealed record ListRequest([property: Id(0)] bool Status, [property: Id(1)] bool DeletedBytes = false);

/// <summary>A mailbox of another account that its owner shares.</summary>
/// <param name="User">The owner's log-in name.</param>
/// <param name="Store">The owner is nobody's own (<see cref="AccountSettings.SharedStore"/>).</param>
[GenerateSerializer, Immutable, Alias("SharedMailbox")]
public sealed record SharedMailbox([property: Id(0)] AccountId Owner, [property: Id(1)] string User, [property: Id(2)] bool Store, [property: Id(3)] MailboxInfo Info);

/// <summary>A subscription to a mailbox of another account, which need not exist.</summary>
[GenerateSerializer, Immutable, Alias("SharedSubscription")]
public sealed record SharedSubscription([property: Id(0)] AccountId Owner, [property: Id(1)] string User, [property: Id(2)] bool Store, [property: Id(3)] MailboxPath Path);

[GenerateSerializer, Immutable, Alias("SharedTree")]
public sealed record SharedTree([property: Id(0)] IReadOnlyList<SharedMailbox> Mailboxes, [property: Id(1)] IReadOnlyList<SharedSubscription> Subscriptions);

/// <summary>A list of rights as people read it.</summary>
/// <param name="Entries">Not the owner's.</param>
[GenerateSerializer, Immutable, Alias("MailboxRights")]
public sealed record MailboxRights([property: Id(0)] string Owner, [property: Id(1)] IReadOnlyList<NamedRights> Entries);

/// <param name="Name">A log-in name, or <see cref="Anyone"/>.</param>
[GenerateSerializer, Immutable, Alias("NamedRights")]
public sealed record NamedRights([property: Id(0)] string Name, [property: Id(1)] bool Negative, [property: Id(2)] MailRights Rights)
{
    /// <summary>The identifier of all accounts of the mailbox's tenant (RFC 4314 §2).</summary>
    public const string Anyone = "anyone";
}

/// <param name="Name">As <see cref="NamedRights.Name"/>.</param>
[GenerateSerializer, Immutable, Alias("SetAclRequest")]
public sealed record SetAclRequest(
    [property: Id(0)] OperationId Operation,
    [property: Id(1)] Actor Actor,
    [property: Id(2)] MailboxPath Path,
    [property: Id(3)] string Name,
    [property: Id(4)] bool Negative,
    [property: Id(5)] StoreMode Mode,
    [property: Id(6)] MailRights Rights);
