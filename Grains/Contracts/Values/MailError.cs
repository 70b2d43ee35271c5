namespace MailCluster.Contracts;

/// <summary>What can be expected to go wrong; each door maps it to its own answer in one table (IMAP: RFC 9051 §7.1, RFC 5530).</summary>
public enum MailErrorCode
{
    /// <summary>No such mailbox, message or account.</summary>
    NonExistent = 1,

    /// <summary>The target of APPEND, COPY or MOVE does not exist and could be created.</summary>
    TryCreate,

    /// <summary>A mailbox of this name exists.</summary>
    AlreadyExists,

    /// <summary>The account's or the tenant's quota would be exceeded.</summary>
    OverQuota,

    /// <summary>The operation can never succeed (a name that is not allowed, INBOX deleted…).</summary>
    Cannot,

    /// <summary>A limit of the server (keywords, connections, mailboxes) is reached.</summary>
    Limit,

    /// <summary>User unknown or password wrong; which of them is never told.</summary>
    AuthenticationFailed,

    /// <summary>The account may not log in now.</summary>
    AuthorizationFailed,

    /// <summary>PostgreSQL or the owner of the mailbox cannot be reached; the outcome of a change is unknown until a retry with the same operation id.</summary>
    Unavailable,

    /// <summary>The mailbox was deleted while in use.</summary>
    MailboxGone,

    /// <summary>The staged body was collected before it was used: upload again.</summary>
    BodyGone,

    /// <summary>The caller's epoch is over: take the mailbox's current version and ask again. Nothing was changed.</summary>
    StaleEpoch,

    /// <summary>A message is larger than the limit.</summary>
    TooBig,

    /// <summary>The mailbox has children or is in use, so that it can't be deleted or renamed.</summary>
    InUse,

    /// <summary>The account refuses delivery for now (try again) .</summary>
    DeliveryDeferred,

    /// <summary>The account refuses delivery.</summary>
    DeliveryRefused,

    /// <summary>The special use is unknown or taken (RFC 6154 §3: USEATTR).</summary>
    UseAttribute,

    /// <summary>The mailbox has not the name any more that the change was meant for: look for the name again. Nothing was changed.</summary>
    Renamed,

    /// <summary>The message that the change was to take the place of was expunged. Nothing was changed.</summary>
    MessageGone,

    /// <summary>Who asks may not do it (RFC 5530: NOPERM).</summary>
    NoPermission,

    /// <summary>The mailbox has as many annotations as it may have (RFC 5464 §4.3).</summary>
    TooManyAnnotations,

    /// <summary>Another log-in came too short a time ago (RFC 2449 section 6.5).</summary>
    LoginDelay,

    /// <summary>Filters have to decide what becomes of the message (<see cref="AppendRequest.Unfiltered"/>). Nothing was changed.</summary>
    Filtered,

    /// <summary>The value of a message's annotation is larger than the limit (RFC 5257 §4.5).</summary>
    AnnotationTooBig,

    /// <summary>A message has as many annotations as it may have (RFC 5257 §4.5).</summary>
    TooManyMessageAnnotations,
}

/// <summary>An expected failure: a code for the machine and a sentence for the human, without secrets.</summary>
/// <param name="NotDone">Of a change that has an <see cref="OperationId"/>: no earlier try of it has done it either, nor will one that is still under way. False: that is not known, or goes without saying.</param>
[GenerateSerializer, Immutable, Alias("MailError")]
public sealed record MailError([property: Id(0)] MailErrorCode Code, [property: Id(1)] string Text, [property: Id(2)] bool NotDone = false);

/// <summary>A value or an expected failure. Exceptions are for bugs and outages.</summary>
[GenerateSerializer, Immutable, Alias("MailResult`1")]
public readonly record struct MailResult<T>([property: Id(0)] T? Value, [property: Id(1)] MailError? Error)
{
    /// <summary>True when there is a value.</summary>
    [System.Diagnostics.CodeAnalysis.MemberNotNullWhen(true, nameof(Value))]
    [System.Diagnostics.CodeAnalysis.MemberNotNullWhen(false, nameof(Error))]
    public bool IsOk => Error is null;

    public static implicit operator MailResult<T>(T value) => new(value, null);

    public static implicit operator MailResult<T>(MailError error) => new(default, error);
}

/// <summary>For operations that have nothing to tell but that they were done.</summary>
[GenerateSerializer, Immutable, Alias("Done")]
public readonly record struct Done
{
    public static readonly Done Value;
}
