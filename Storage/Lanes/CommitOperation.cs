using MailCluster.Contracts;

namespace MailCluster.Storage.Lanes;

/// <summary>The numbers that <c>mail.commit_v3</c> knows the operations by.</summary>
public enum CommitKind : short
{
    Append = 1,
    Store = 2,
    Expunge = 3,
    Copy = 4,
    Move = 5,

    /// <summary>Appends its one message, and expunges the one UID from the source, which may be the same mailbox (RFC 8508).</summary>
    Replace = 6,

    /// <summary>Expunges the UIDs whatever their flags.</summary>
    Remove = 7,

    /// <summary>Annotations of messages; the kind is of the lanes alone, which have a function of its own for it.</summary>
    Annotate = 8,

    /// <summary>One line of the list of rights.</summary>
    SetRights = 20,
}

/// <summary>What <c>mail.commit_v3</c> answers for an operation. Each is expected; none is an SQL error.</summary>
public enum CommitStatus : short
{
    Done = 0,

    /// <summary>The epoch is over: another activation has claimed the mailbox. Nothing was changed.</summary>
    Fenced = 1,
    MailboxGone = 2,
    OverQuota = 3,
    BodyGone = 4,
    SourceGone = 5,

    /// <summary>A byte-identical delivery came to this account in the last 24 hours.</summary>
    DeliveredBefore = 6,
    TooManyKeywords = 7,

    /// <summary>The mailbox has not the name any more that the append is meant for. Nothing was changed.</summary>
    Renamed = 8,

    /// <summary>An earlier commit of the same operation id did it; the result is the stored one, and its delta was made then.</summary>
    DoneBefore = 9,

    /// <summary>The message to be replaced is not there any more. Nothing was changed.</summary>
    MessageGone = 10,

    /// <summary>The append is meant for an account without filters, and it has one, or its tenant. Nothing was changed. Of <see cref="FilterCheck"/>, not of the function.</summary>
    Filtered = 11,

    /// <summary>A message would have more annotations than it may have. Nothing was changed.</summary>
    TooManyAnnotations = 12,
}

/// <summary>Bounds of messages' annotations (RFC 5257 §4.1).</summary>
/// <param name="Entries">Of one message: shared ones, and each reader's own.</param>
/// <param name="Octets">Of one value. Larger ones are not taken along by copies.</param>
/// <param name="AccountOctets">Of what an account pays for, where it has no limit of its own.</param>
public sealed record AnnotationLimits(int Entries, int Octets, long AccountOctets)
{
    public static readonly AnnotationLimits Default = new(100, 16 * 1024, 10 << 20);
}

/// <summary>One operation on its way through a lane.</summary>
public sealed class CommitOperation
{
    public required CommitKind Kind { get; init; }

    /// <summary>The mailbox that changes; the commit is refused when its epoch is not <see cref="Epoch"/>.</summary>
    public required MailboxKey Mailbox { get; init; }

    public required long Epoch { get; init; }

    public required TenantId Tenant { get; init; }

    public required OperationId Id { get; init; }

    public required Actor Actor { get; init; }

    /// <summary>Where COPY and MOVE take messages from, and where the message is that a replacement takes away.</summary>
    public MailboxKey? Source { get; init; }

    /// <summary>Not null: who acts is not the mailbox's account, and \Seen is this account's own.</summary>
    public AccountId? Viewer { get; init; }

    /// <summary>As <see cref="Viewer"/>, at the source of COPY and MOVE.</summary>
    public AccountId? SourceViewer { get; init; }

    /// <summary>The flags that STORE may change, and COPY and MOVE may set.</summary>
    public FlagMask Mask { get; init; } = FlagMask.All;

    /// <summary>Of <see cref="CommitKind.SetRights"/>: whose line, which of the two, and the rights that <see cref="Mode"/> sets, adds or takes away.</summary>
    public AccountId Grantee { get; init; }

    public bool Negative { get; init; }

    public MailRights Rights { get; init; }

    public StoreMode Mode { get; init; }

    public FlagList Flags { get; init; } = FlagList.None;

    public long? UnchangedSince { get; init; }

    public Guid? Delivery { get; init; }

    /// <summary>The name that the mailbox of an append or a replacement must have when it is committed, as stored; null where the mailbox is meant, whatever it is called.</summary>
    public MailboxPath? Path { get; init; }

    /// <summary>An append that is done only where neither the account nor its tenant has an active filter.</summary>
    public bool Unfiltered { get; init; }

    /// <summary>The messages of an append or the one of a replacement, and the email ids that they get, in the same order.</summary>
    public IReadOnlyList<NewMessage> Messages { get; init; } = [];

    public IReadOnlyList<long> Emails { get; init; } = [];

    /// <summary>What <see cref="CommitKind.Annotate"/> changes; each entry once as shared and once as private at most.</summary>
    public IReadOnlyList<AnnotationValue> Annotations { get; init; } = [];

    /// <summary>Null: those of the others of its batch.</summary>
    public AnnotationLimits? AnnotationLimits { get; init; }

    /// <summary>Whether copies may have shared annotations here.</summary>
    public bool SharesAnnotations { get; init; } = true;

    /// <summary>The accounts whose usage it may change, and whose rows it locks: a change of flags none.</summary>
    public IEnumerable<AccountId> Charged
    {
        get
        {
            if (Kind is CommitKind.Store or CommitKind.SetRights or CommitKind.Annotate)
                yield break;
            yield return Mailbox.Account;
            if (Source is { } source && source.Account != Mailbox.Account)
                yield return source.Account;
            // Who pays for annotations of his own.
            if (Viewer is { } viewer && (Kind is CommitKind.Copy or CommitKind.Move || Messages.Any(static m => m.Annotations is not null)))
                yield return viewer;
        }
    }

    /// <summary>The UIDs that it is about.</summary>
    public UidSet Uids { get; init; } = UidSet.All;

    /// <summary>How many rows it may touch: a large one runs apart, so that others need not wait.</summary>
    public long Rows { get; init; } = 1;

    /// <summary>The keywords that it gives to messages, where these are many (<see cref="KeywordNumbers"/>); known when it comes to the lane.</summary>
    internal IReadOnlyList<string> Keywords { get; set; } = [];

    /// <summary>It runs apart, where operations of so many rows need not; <see cref="long.MaxValue"/>: none has to.</summary>
    internal bool IsLarge(long rows) => Rows > rows || (Keywords.Count > 0 && rows < long.MaxValue);

    /// <summary>The first UID that no session was told to be \Recent; saved along.</summary>
    public long? FirstRecent { get; init; }

    /// <summary>Octets that it holds in memory while it waits.</summary>
    public long Bytes => 300 + Messages.Sum(static m => 200L + m.Prefix.Length + (m.Annotations?.Sum(static a => a.Octets) ?? 0)) + (Uids.Count * 8L) + Annotations.Sum(static a => a.Octets);

    /// <summary>Octets of its bodies that the commit takes along, as far as they are known when it comes to the lane.</summary>
    internal long Inline { get; set; }

    /// <summary>Who waits for it goes on in the lane's own thread, in the order of the commits, and must soon leave it. Otherwise in a thread of the pool.</summary>
    public bool InPlace
    {
        init
        {
            if (value)
                Completion = new();
        }
    }

    internal TaskCompletionSource<CommitOutcome> Completion { get; private init; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal long Deadline { get; set; }
}

/// <summary>What became of an operation. Which fields have a value depends on the kind; of COPY and MOVE <c>Modified</c> are the new messages with the viewer's \Seen. See <c>mail.commit_v3</c>.</summary>
public sealed record CommitOutcome(
    CommitStatus Status,
    long ModSeq,
    UidSet Uids,
    long? SourceModSeq,
    long? SourceEpoch,
    UidSet SourceUids,
    UidSet Modified,
    IReadOnlyList<long> Threads,
    IReadOnlyList<MessageRow> Added)
{
    /// <summary>When the messages were saved: the batch's time, seconds since 1970 UTC.</summary>
    public long SaveDate { get; init; }
}

/// <summary>The operation certainly did not happen: PostgreSQL could not be reached before it was sent, the queue is full, or it waited too long in it.</summary>
public sealed class CommitNotDoneException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Whether the operation happened is not known: the connection broke while it was under way. A retry with the same operation id finds out.</summary>
public sealed class CommitUnknownException(string message, Exception? inner = null) : Exception(message, inner);
