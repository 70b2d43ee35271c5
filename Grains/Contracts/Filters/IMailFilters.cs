namespace MailCluster.Contracts;

/// <summary>
/// What a delivery needs to know of the recipients' filters (Sieve, RFC 5228), and what it leaves behind. Implemented by Storage; doors use it without passing a grain:
/// the rows decide, so that a script that was activated counts for every delivery that begins afterwards, on any node. Deliveries to accounts without filters need not ask
/// (<see cref="AppendRequest.Unfiltered"/>).
/// All methods throw <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.
/// </summary>
public interface IMailFilters
{
    /// <summary>The filters of some accounts, one query for all; accounts without any are left out. Others that were asked for at the same time may be there, too.</summary>
    ValueTask<IReadOnlyDictionary<AccountId, AccountFilters>> FiltersAsync(IReadOnlyList<(AccountId Account, TenantId Tenant)> accounts, CancellationToken cancellationToken);

    /// <summary>The source of a script, by where it is from; null where there is none now.</summary>
    ValueTask<StoredScript?> SourceAsync(ScriptOwner owner, string name, CancellationToken cancellationToken);

    /// <summary>What is remembered for an account: those of the keys whose time is not over.</summary>
    ValueTask<IReadOnlySet<MemoryKey>> RecallAsync(AccountId account, IReadOnlyList<MemoryKey> keys, CancellationToken cancellationToken);

    /// <summary>
    /// Lets further messages refer to a staged body of which a claim is still there or an email refers to it; the numbers of the new claims, which are taken as those of
    /// <see cref="StagedBody.Claims"/>. <see cref="MailErrorCode.BodyGone"/>.
    /// </summary>
    ValueTask<MailResult<IReadOnlyList<int>>> ClaimAsync(BodyId body, int count, CancellationToken cancellationToken);

    /// <summary>
    /// The end of a delivery, in one transaction that is on disk before it returns: mail that has to leave is in the outbox, what has to be remembered is remembered, and the delivery
    /// is done. A second call for the same delivery changes nothing and says so.
    /// </summary>
    ValueTask<FilterOutcome> CommitAsync(FilterCommit commit, CancellationToken cancellationToken);

    /// <summary>For the owner to see: why his filter failed last.</summary>
    ValueTask NoteFailureAsync(AccountId account, string failure, CancellationToken cancellationToken);
}

/// <summary>Whose script: an account's, or a tenant's (account null).</summary>
public readonly record struct ScriptOwner(AccountId? Account, TenantId? Tenant)
{
    public static ScriptOwner Of(AccountId account) => new(account, null);

    public static ScriptOwner Of(TenantId tenant) => new(null, tenant);
}

/// <summary>What is run for an account's mail, in this order.</summary>
public sealed record AccountFilters(ScriptRef? Before, ScriptRef? Own, ScriptRef? After);

/// <param name="Hash">The first 16 octets of SHA-256 of the source: what compiled scripts are kept by.</param>
public readonly record struct ScriptRef(string Name, Guid Hash);

/// <param name="Source">UTF-8.</param>
public sealed record StoredScript(string Name, Guid Hash, byte[] Source);

public enum MemoryKind : short
{
    /// <summary>RFC 7352.</summary>
    Duplicate = 1,

    /// <summary>RFC 5230: a reply to a sender.</summary>
    Vacation = 2,

    /// <summary>A delivery that has come to its end.</summary>
    Delivery = 3,
}

/// <summary>Something that an account remembers for a time.</summary>
public readonly record struct MemoryKey(MemoryKind Kind, Guid Key);

/// <param name="Delivery">The same for the same bytes from the same sender to the same recipient.</param>
/// <param name="Remember">Marks of duplicates.</param>
/// <param name="MostADay">Mail that may leave for this account in a day.</param>
public sealed record FilterCommit(
    AccountId Account, TenantId Tenant, Guid Delivery, IReadOnlyList<(MemoryKey Key, TimeSpan For)> Remember, IReadOnlyList<OutgoingMail> Mail, int MostADay);

/// <summary>A message that has to leave.</summary>
/// <param name="Ordinal">Names it among those of its delivery.</param>
/// <param name="Sender">Of the envelope; empty for what nobody may answer.</param>
/// <param name="Head">What is sent first: the whole message, or its header where the rest comes from <paramref name="Body"/>.</param>
/// <param name="Body">Not null: the rest is that body from <paramref name="Offset"/> to its end at <paramref name="Size"/>.</param>
/// <param name="Once">Not null: not sent where it is remembered; otherwise remembered with it.</param>
/// <param name="Required">The message itself would be lost with it: where the day's limit does not allow it nothing at all is committed, and where it can't be sent it goes to INBOX.</param>
public sealed record OutgoingMail(
    short Ordinal, OutgoingKind Kind, string Sender, IReadOnlyList<string> Recipients, byte[] Head, BodyId? Body, long Offset, long Size, bool Utf8,
    (MemoryKey Key, TimeSpan For)? Once, bool Required);

public enum OutgoingKind : short
{
    Redirect = 1,
    Vacation = 2,
    Reject = 3,
    Notify = 4,

    /// <summary>A report of spam or ham.</summary>
    Report = 5,
}

public enum FilterOutcome
{
    /// <summary>All of it.</summary>
    Done = 0,

    /// <summary>An earlier try has come to its end: nothing was changed.</summary>
    DoneBefore = 1,

    /// <summary>Mail that is required is above the day's limit: nothing was changed.</summary>
    OverLimit = 2,

    /// <summary>The body that has to leave is gone: nothing was changed.</summary>
    BodyGone = 3,
}
