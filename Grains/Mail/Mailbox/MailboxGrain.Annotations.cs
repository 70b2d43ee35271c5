using MailCluster.Contracts;
using MailCluster.Storage.Lanes;

namespace MailCluster.Grains;

/// <summary>
/// Annotations of messages (RFC 5257). A change of them is one of the messages' modseqs and of nothing else that the version in memory has: sessions that want to know which entries changed
/// ask PostgreSQL (<see cref="IMessageAnnotations"/>), so that nobody else pays for them.
/// </summary>
public sealed partial class MailboxGrain
{
    private AnnotationLimits AnnotationBounds => new(options.Value.MaxMessageAnnotations, options.Value.MaxMessageAnnotationOctets, options.Value.MaxAnnotationBytes);

    public ValueTask<MailResult<StoreResult>> Annotate(AnnotateRequest request) => Once<StoreResult>(request.Operation, async () =>
    {
        (MailboxVersion? version, MailError? error) = await LoadAsync();
        if (version is null || _owned is not { } owned)
            return error ?? Lost;
        (MailRights rights, MailError? unsure) = await RightsAsync(owned, request.Actor.Account);
        if ((unsure ?? MayAnnotate(request.Values, rights)) is { } refusedBefore)
            return refusedBefore;
        AccountId? viewer = ViewerOf(_key, request.Actor, _key.Account);
        var operation = new CommitOperation
        {
            Kind = CommitKind.Annotate, Mailbox = _key, Epoch = owned.Epoch, Tenant = owned.Tenant, Id = request.Operation, Actor = request.Actor,
            Viewer = viewer, Uids = request.Uids, Annotations = request.Values, AnnotationLimits = AnnotationBounds, UnchangedSince = request.UnchangedSince,
            Rows = Math.Min(request.Uids.Cardinality, version.Snapshot.Count) * request.Values.Count, FirstRecent = owned.FirstRecent,
        };
        MailResult<CommitOutcome> result = await CommitAsync(owned, operation);
        return result.Error is { } refused ? refused : MailboxChanges.Stored(owned, operation, result.Value!);
    });

    /// <summary>Why these may not be set here; null when they may: r for one's own, n for shared ones (RFC 5257 §3.4).</summary>
    private MailError? MayAnnotate(IEnumerable<AnnotationValue> values, MailRights rights)
    {
        foreach (AnnotationValue value in values)
        {
            if (!rights.Has(value.Shared ? MailRights.Annotate : MailRights.Read))
                return Refusal(rights);
            if (value.Value?.Length > options.Value.MaxMessageAnnotationOctets)
                return new MailError(MailErrorCode.AnnotationTooBig, $"An annotation has at most {options.Value.MaxMessageAnnotationOctets} octets.");
        }
        return null;
    }
}
