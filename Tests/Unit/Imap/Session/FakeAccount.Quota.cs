using MailCluster.Contracts;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>Quotas and annotations of the one account.</summary>
internal sealed partial class FakeAccount
{
    private readonly SortedDictionary<(string Mailbox, string Entry), byte[]> _annotations = [];

    public QuotaLimits Limits { get; set; } = new(null, null, 100, 10 << 20);

    public QuotaUsage Used { get; set; } = new(0, 0);

    public QuotaRoot? TenantRoot { get; set; }

    public ValueTask<MailResult<AccountQuota>> Quota(AccountId asking) => Do<AccountQuota>(() =>
        new AccountQuota(new QuotaRoot(QuotaRoot.AccountPrefix + Account.User, Used, Limits), TenantRoot));

    public ValueTask<MailResult<AccountQuota>> SetQuota(AccountId actor, QuotaLimits limits)
    {
        if (Account.Manages)
            Limits = limits with { Mailboxes = limits.Mailboxes ?? 100, AnnotationBytes = limits.AnnotationBytes ?? 10 << 20 };
        return Account.Manages ? Quota(actor) : new(new MailError(MailErrorCode.NoPermission, "No."));
    }

    public ValueTask<MailResult<IReadOnlyList<MetadataEntry>>> GetMetadata(MetadataRequest request) => Do<IReadOnlyList<MetadataEntry>>(() =>
    {
        if (request.Path is { } path && Existing(path).Error is { } missing)
            return missing;
        return (MetadataEntry[])[.. _annotations.Where(a => a.Key.Mailbox == Of(request.Path) && request.Entries.Any(e => IsAsked(e, request.Depth, a.Key.Entry)))
            .Select(a => new MetadataEntry(a.Key.Entry, a.Value.Length, a.Value.Length > request.MaxSize ? null : a.Value))];
    });

    public ValueTask<MailResult<IReadOnlyList<AnnotationMark>>> Annotations() => Do<IReadOnlyList<AnnotationMark>>(() =>
        (AnnotationMark[])[.. _annotations.Select(a => new AnnotationMark(
            a.Key.Mailbox.Length == 0 ? default : Existing(MailboxPath.Parse(a.Key.Mailbox, '/')).Value!.Id, a.Key.Entry, AnnotationMark.Of(a.Value)))]);

    public ValueTask<MailResult<Done>> SetMetadata(SetMetadataRequest request) => Do<Done>(tree: true, work: () =>
    {
        if (request.Path is { } path && Existing(path).Error is { } missing)
            return missing;
        if (_annotations.Count + request.Entries.Count > 10)
            return new MailError(MailErrorCode.TooManyAnnotations, "Too many.");
        foreach (MetadataValue value in request.Entries)
        {
            if (value.Value is null)
                _annotations.Remove((Of(request.Path), value.Entry));
            else
                _annotations[(Of(request.Path), value.Entry)] = value.Value;
        }
        return Done.Value;
    });

    public ValueTask<MailResult<IReadOnlyList<MailboxMetadata>>> ListMetadata(IReadOnlyList<string> entries) => Do<IReadOnlyList<MailboxMetadata>>(() =>
        (MailboxMetadata[])[.. _annotations.Where(a => entries.Contains(a.Key.Entry) && a.Key.Mailbox.Length > 0)
            .Select(a => new MailboxMetadata(new MailboxKey(FakeMail.Account, Existing(MailboxPath.Parse(a.Key.Mailbox, '/')).Value!.Id), a.Key.Entry, a.Value))]);

    private static string Of(MailboxPath? path) => path?.ToString() ?? "";

    private static bool IsAsked(string entry, MetadataDepth depth, string name) => entry == name
        || (depth != MetadataDepth.Zero && name.StartsWith(entry + "/", StringComparison.Ordinal) && (depth == MetadataDepth.Infinity || !name[(entry.Length + 1)..].Contains('/')));
}
