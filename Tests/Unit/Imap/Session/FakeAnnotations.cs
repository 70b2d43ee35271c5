using System.Runtime.CompilerServices;
using MailCluster.Contracts;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>Annotations of messages, in memory; the user's own and shared ones, since there is one user.</summary>
internal sealed class FakeAnnotations : IMessageAnnotations
{
    /// <summary>As owners are told to hold them to.</summary>
    public const int MostEntries = 10, MostOctets = 1024;

    private readonly Lock _gate = new();
    private readonly SortedDictionary<(MailboxKey Mailbox, uint Uid, string Entry, bool Private), (byte[]? Value, long ModSeq)> _all = new(Comparer<(MailboxKey Mailbox, uint Uid, string Entry, bool Private)>.Create(
        static (a, b) => (a.Mailbox.Mailbox.Value, a.Uid).CompareTo((b.Mailbox.Mailbox.Value, b.Uid)) is not 0 and var place ? place
            : string.CompareOrdinal(a.Entry, b.Entry) is not 0 and var name ? name : a.Private.CompareTo(b.Private)));

    /// <summary>PostgreSQL can't be reached.</summary>
    public bool Away { get; set; }

    /// <summary>How often somebody has asked.</summary>
    public int Asked { get; private set; }

    public bool Differs(MailboxKey mailbox, uint uid, AnnotationValue value)
    {
        lock (_gate)
            return !(_all.TryGetValue((mailbox, uid, value.Entry, !value.Shared), out (byte[]? Value, long) known) ? known.Value : null).AsSpan().SequenceEqual(value.Value)
                || (known.Value is null) != (value.Value is null);
    }

    public bool IsFull(MailboxKey mailbox, uint uid, IReadOnlyList<AnnotationValue> values)
    {
        lock (_gate)
        {
            var names = _all.Where(a => a.Key.Mailbox == mailbox && a.Key.Uid == uid && a.Value.Value is not null).Select(static a => (a.Key.Entry, a.Key.Private)).ToHashSet();
            names.UnionWith(values.Where(static v => v.Value is not null).Select(static v => (v.Entry, !v.Shared)));
            names.ExceptWith(values.Where(static v => v.Value is null).Select(static v => (v.Entry, !v.Shared)));
            return names.Count > MostEntries;
        }
    }

    public void Set(MailboxKey mailbox, uint uid, IEnumerable<AnnotationValue> values, long modSeq)
    {
        lock (_gate)
        {
            foreach (AnnotationValue value in values)
                _all[(mailbox, uid, value.Entry, !value.Shared)] = (value.Value, modSeq);
        }
    }

    public void Copy(MailboxKey source, uint from, MailboxKey target, uint to, long modSeq)
    {
        lock (_gate)
            Set(target, to, [.. Of(source).Where(a => a.Uid == from).Select(static a => new AnnotationValue(a.Entry, a.Shared, a.Value))], modSeq);
    }

    public Task<IReadOnlyList<MessageAnnotation>> ListAsync(MailboxKey mailbox, AccountId viewer, UidSet uids, CancellationToken cancellationToken) =>
        Task.FromResult<IReadOnlyList<MessageAnnotation>>([.. Of(mailbox).Where(a => uids.Contains(a.Uid)).Select(static a => a.Size > IMessageAnnotations.Inline ? a with { Value = null } : a)]);

    public Task<byte[]?> ReadAsync(MailboxKey mailbox, AccountId viewer, uint uid, string entry, bool shared, CancellationToken cancellationToken) =>
        Task.FromResult(Of(mailbox).FirstOrDefault(a => a.Uid == uid && a.Entry == entry && a.Shared == shared)?.Value);

    public Task<IReadOnlyList<ChangedAnnotation>> ChangedAsync(MailboxKey mailbox, AccountId viewer, UidSet uids, long since, CancellationToken cancellationToken)
    {
        Look();
        lock (_gate)
        {
            return Task.FromResult<IReadOnlyList<ChangedAnnotation>>(
                [.. _all.Where(a => a.Key.Mailbox == mailbox && uids.Contains(a.Key.Uid) && a.Value.ModSeq > since).Select(static a => new ChangedAnnotation(a.Key.Uid, a.Key.Entry, !a.Key.Private, a.Value.ModSeq))]);
        }
    }

    public async IAsyncEnumerable<MessageAnnotation> ScanAsync(
        MailboxKey mailbox, AccountId viewer, string? entry, bool? shared, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.Yield();
        foreach (MessageAnnotation one in Of(mailbox).Where(a => (entry is null || a.Entry == entry) && (shared is null || a.Shared == shared)))
            yield return one;
    }

    private List<MessageAnnotation> Of(MailboxKey mailbox)
    {
        Look();
        lock (_gate)
            return [.. _all.Where(a => a.Key.Mailbox == mailbox && a.Value.Value is not null).Select(static a => new MessageAnnotation(a.Key.Uid, a.Key.Entry, !a.Key.Private, a.Value.Value!.Length, a.Value.Value))];
    }

    private void Look()
    {
        Asked++;
        if (Away)
            throw new StoreUnavailableException("Away.");
    }
}
