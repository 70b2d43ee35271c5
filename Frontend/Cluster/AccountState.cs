using MailCluster.Contracts;

namespace MailCluster.Cluster;

/// <summary>
/// An account's mailboxes with their counters, and its subscriptions, as they were at one time. Immutable; an entry that has not changed is the same object in the next state.
/// </summary>
public sealed class AccountState
{
    private readonly MailboxInfo[] _mailboxes;
    private Dictionary<MailboxId, int>? _byId;

    private AccountState(MailboxInfo[] mailboxes, IReadOnlyList<MailboxPath> subscriptions, object names, IReadOnlyDictionary<(MailboxId, string), long> annotations, SharedTree shared)
    {
        _mailboxes = mailboxes;
        Subscriptions = subscriptions;
        Names = names;
        Annotations = annotations;
        Shared = shared;
    }

    /// <summary>What nobody has been told anything of.</summary>
    public static readonly AccountState Empty = new([], [], new object(), new Dictionary<(MailboxId, string), long>(), new SharedTree([], []));

    /// <summary>In path order, each with its counters where it can be selected.</summary>
    public IReadOnlyList<MailboxInfo> Mailboxes => _mailboxes;

    public IReadOnlyList<MailboxPath> Subscriptions { get; }

    /// <summary>The same object in two states whose names, uses and subscriptions are the same.</summary>
    public object Names { get; }

    /// <summary>A mark of the value of each annotation, by mailbox (0 is the server) and entry; the same object as long as all are the same. Empty where nobody asked for them.</summary>
    public IReadOnlyDictionary<(MailboxId Mailbox, string Entry), long> Annotations { get; }

    /// <summary>The mailboxes of others that the account may see, with what it may do there and without counters; the same object as long as all is the same. Empty where nobody asked for them.</summary>
    public SharedTree Shared { get; }

    public MailboxTree Tree => new(_mailboxes, Subscriptions);

    public MailboxInfo? Find(MailboxId mailbox) => IndexOf(mailbox) is { } index ? _mailboxes[index] : null;

    /// <summary>This state with counters that are newer; itself where they are not, or the mailbox is not in it.</summary>
    public AccountState With(MailboxStatus counters) => Find(counters.Id) is { Status: { } known } && !IsNewer(counters, known) ? this : WithCounters(counters);

    /// <summary>This state with other counters, whether they are newer or older.</summary>
    public AccountState WithCounters(MailboxStatus counters)
    {
        if (IndexOf(counters.Id) is not { } index)
            return this;
        MailboxInfo[] mailboxes = [.. _mailboxes];
        mailboxes[index] = mailboxes[index] with { Status = counters };
        return new AccountState(mailboxes, Subscriptions, Names, Annotations, Shared) { _byId = _byId };
    }

    /// <summary>This state with those of another's counters that are newer; itself where none are.</summary>
    public AccountState WithNewer(AccountState other) =>
        other._mailboxes.Aggregate(this, static (state, mailbox) => mailbox.Status is { } counters ? state.With(counters) : state);

    /// <summary>What was read of the rows, with those of the counters in this state that are newer still.</summary>
    /// <param name="annotations">Null where they were not read.</param>
    /// <param name="shared">Null where they were not read.</param>
    public AccountState Then(MailboxTree read, IReadOnlyList<AnnotationMark>? annotations = null, SharedTree? shared = null)
    {
        SharedTree others = shared is null || Same(shared) ? Shared : shared;
        IReadOnlyDictionary<(MailboxId, string), long> marks = annotations is null || Same(annotations) ? Annotations : annotations.ToDictionary(static a => (a.Mailbox, a.Entry), static a => a.Mark);
        var mailboxes = new MailboxInfo[read.Mailboxes.Count];
        bool same = mailboxes.Length == _mailboxes.Length && read.Subscriptions.SequenceEqual(Subscriptions);
        for (int i = 0; i < mailboxes.Length; i++)
        {
            MailboxInfo now = read.Mailboxes[i];
            MailboxInfo? known = Find(now.Id);
            bool sameName = known is not null && known.Selectable == now.Selectable && known.Path.Equals(now.Path) && known.SpecialUse.SequenceEqual(now.SpecialUse);
            MailboxStatus? counters = known?.Status is { } kept && (now.Status is null || !IsNewer(now.Status, kept)) ? kept : now.Status;
            mailboxes[i] = sameName && ReferenceEquals(counters, known!.Status) ? known : now with { Status = counters };
            same &= sameName;
        }
        return same && ReferenceEquals(marks, Annotations) && ReferenceEquals(others, Shared) && mailboxes.AsSpan().SequenceEqual(_mailboxes, ReferenceEqualityComparer.Instance)
            ? this
            : new AccountState(mailboxes, same ? Subscriptions : read.Subscriptions, same ? Names : new object(), marks, others);
    }

    /// <summary>This state with other annotations of a mailbox (0: the server).</summary>
    public AccountState WithAnnotations(MailboxId mailbox, IEnumerable<MetadataValue> entries)
    {
        var marks = new Dictionary<(MailboxId, string), long>(Annotations);
        foreach (MetadataValue entry in entries)
        {
            if (entry.Value is { } value)
                marks[(mailbox, entry.Entry)] = AnnotationMark.Of(value);
            else
                marks.Remove((mailbox, entry.Entry));
        }
        return new AccountState(_mailboxes, Subscriptions, Names, marks, Shared);
    }

    /// <summary>This state with another tree; its names count as others.</summary>
    public AccountState WithTree(IEnumerable<MailboxInfo> mailboxes, IEnumerable<MailboxPath> subscriptions)
    {
        MailboxInfo[] sorted = [.. mailboxes];
        MailboxPath[] names = [.. subscriptions.Distinct()];
        Array.Sort(sorted, static (a, b) => a.Path.CompareTo(b.Path));
        Array.Sort(names);
        return new AccountState(sorted, names, new object(), Annotations, Shared);
    }

    /// <summary>Mailboxes of others come in no order.</summary>
    private bool Same(SharedTree shared)
    {
        if (shared.Mailboxes.Count != Shared.Mailboxes.Count || shared.Subscriptions.Count != Shared.Subscriptions.Count)
            return false;
        Dictionary<MailboxId, SharedMailbox> known = Shared.Mailboxes.ToDictionary(static m => m.Info.Id);
        return shared.Mailboxes.All(m => known.TryGetValue(m.Info.Id, out SharedMailbox? k) && k.User == m.User && k.Store == m.Store
                && k.Info.Path.Equals(m.Info.Path) && k.Info.Rights == m.Info.Rights && k.Info.Selectable == m.Info.Selectable)
            && shared.Subscriptions.ToHashSet().SetEquals(Shared.Subscriptions);
    }

    private bool Same(IReadOnlyList<AnnotationMark> annotations) =>
        annotations.Count == Annotations.Count && annotations.All(a => Annotations.TryGetValue((a.Mailbox, a.Entry), out long mark) && mark == a.Mark);

    private int? IndexOf(MailboxId mailbox)
    {
        Dictionary<MailboxId, int>? byId = _byId;
        if (byId is null)
        {
            byId = new Dictionary<MailboxId, int>(_mailboxes.Length);
            for (int i = 0; i < _mailboxes.Length; i++)
                byId[_mailboxes[i].Id] = i;
            _byId = byId;
        }
        return byId.TryGetValue(mailbox, out int index) ? index : null;
    }

    /// <summary>Modseqs of a mailbox only rise; a new UIDVALIDITY comes with the same one.</summary>
    private static bool IsNewer(MailboxStatus counters, MailboxStatus than) =>
        counters.HighestModSeq != than.HighestModSeq ? counters.HighestModSeq > than.HighestModSeq : counters.UidValidity > than.UidValidity;
}
