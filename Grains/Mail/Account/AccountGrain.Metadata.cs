using System.Text;
using MailCluster.Contracts;
using MailCluster.Storage.Accounts;

namespace MailCluster.Grains;

/// <summary>Annotations (RFC 5464). Read from the rows by each call, as the tree is.</summary>
public sealed partial class AccountGrain
{
    private static readonly MailError _tooManyAnnotations = new(
        MailErrorCode.TooManyAnnotations, $"A mailbox has at most {MetadataLimits.MaxEntries} annotations.");

    public ValueTask<MailResult<IReadOnlyList<MetadataEntry>>> GetMetadata(MetadataRequest request) => Guard<IReadOnlyList<MetadataEntry>>(async () =>
    {
        if (request.Path is not { } path)
            return await AccountAsync(fresh: false) is { } account ? await metadata.ReadServerAsync(account.Settings.Tenant, request) : _noAccount;
        (MailboxInfo? mailbox, MailError? refused) = await AnnotatedAsync(path, request.Viewer);
        if (mailbox is null)
            return refused!;
        List<MetadataEntry> found = await metadata.ReadAsync(new MailboxKey(Id, mailbox.Id), request);
        if (mailbox.SpecialUse.Count > 0 && request.Viewer == Id && request.Entries.Any(e => IsAsked(e, request.Depth, MetadataLimits.SpecialUse)))
        {
            byte[] uses = Encoding.ASCII.GetBytes(string.Join(' ', mailbox.SpecialUse));
            found.Add(new MetadataEntry(MetadataLimits.SpecialUse, uses.Length, uses.Length <= (request.MaxSize ?? long.MaxValue) ? uses : null));
        }
        return found;
    });

    public ValueTask<MailResult<Done>> SetMetadata(SetMetadataRequest request) => ChangingTreeAsync(Guard<Done>(async () =>
    {
        if (await AccountAsync(fresh: false) is not { } account)
            return _noAccount;
        if (request.Path is not { } path)
            return await SetServerAsync(account.Settings.Tenant, request);
        (MailboxInfo? mailbox, MailError? refused) = await AnnotatedAsync(path, request.Viewer);
        if (mailbox is null)
            return refused!;
        var key = new MailboxKey(Id, mailbox.Id);
        MetadataValue? use = request.Entries.LastOrDefault(static e => e.Entry == MetadataLimits.SpecialUse);
        MetadataValue[] others = [.. request.Entries.Where(static e => e.Entry != MetadataLimits.SpecialUse)];
        if (use is not null && others.Length > 0)
            return new MailError(MailErrorCode.Cannot, $"{MetadataLimits.SpecialUse} is set by a command of its own.");
        if (use is null)
            return Answer(await metadata.SetAsync(key, request.Viewer, others, MetadataLimits.MaxEntries, options.Value.MaxAnnotationBytes));
        if (request.Viewer != Id)
            return new MailError(MailErrorCode.UseAttribute, "Mailboxes of others have no special use.");
        string[] uses = (use.Value is null ? "" : Encoding.UTF8.GetString(use.Value)).Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (uses.Length > 0 && path.IsInbox)
            return new MailError(MailErrorCode.UseAttribute, "INBOX has its use.");
        if (!uses.All(SpecialUses.IsKnown))
            return new MailError(MailErrorCode.UseAttribute, "This special use is not known.");
        return await metadata.SetSpecialUseAsync(key, [.. uses.Select(SpecialUses.Spelt).Distinct()])
            ? Done.Value : new MailError(MailErrorCode.UseAttribute, "Another mailbox has this special use.");
    }));

    public ValueTask<MailResult<IReadOnlyList<MailboxMetadata>>> ListMetadata(IReadOnlyList<string> entries) => Guard<IReadOnlyList<MailboxMetadata>>(async () =>
        await metadata.ListAsync(Id, entries));

    /// <summary>What all of a tenant's users read only those set that manage its accounts; how to reach its administrator nobody here (RFC 5464 §3.2.1.1).</summary>
    private async Task<MailResult<Done>> SetServerAsync(TenantId tenant, SetMetadataRequest request)
    {
        MetadataValue[] shared = [.. request.Entries.Where(static e => e.Entry.StartsWith("/shared/", StringComparison.Ordinal))];
        if (shared.Any(static e => e.Entry == "/shared/admin") || (shared.Length > 0 && !await quotas.ManagesAsync(request.Viewer, tenant)))
            return new MailError(MailErrorCode.NoPermission, "What all users read is not yours to set.");
        if (shared.Length > 0 && shared.Length < request.Entries.Count)
            return new MailError(MailErrorCode.Cannot, "Private and shared annotations of the server are set by a command each.");
        return Answer(shared.Length > 0
            ? await metadata.SetServerAsync(tenant, shared, MetadataLimits.MaxEntries)
            : await metadata.SetAsync(new MailboxKey(Id, MetadataStore.Server), Id, request.Entries, MetadataLimits.MaxEntries, options.Value.MaxAnnotationBytes));
    }

    /// <summary>A mailbox whose annotations an account may see and set: it needs l and one of r, s, w, i and p (RFC 5464 §3.3).</summary>
    private async Task<(MailboxInfo? Mailbox, MailError? Refused)> AnnotatedAsync(MailboxPath path, AccountId viewer)
    {
        (StoredMailbox? found, MailError? refused) = await MayAsync(path, viewer, MailRights.Lookup);
        if (found is null)
            return (null, refused);
        bool may = (found.Info.Rights & (MailRights.Read | MailRights.Seen | MailRights.Write | MailRights.Insert | MailRights.Post)) != 0;
        return may ? (found.Info, null) : (null, _notPermitted);
    }

    private static MailResult<Done> Answer(AnnotateOutcome outcome) => outcome switch
    {
        AnnotateOutcome.Done => Done.Value,
        AnnotateOutcome.NonExistent => _nonExistent,
        AnnotateOutcome.TooMany => _tooManyAnnotations,
        _ => new MailError(MailErrorCode.OverQuota, "The account's annotations would be too large."),
    };

    private static bool IsAsked(string entry, MetadataDepth depth, string name) => entry == name
        || (depth != MetadataDepth.Zero && name.StartsWith(entry + "/", StringComparison.Ordinal)
            && (depth == MetadataDepth.Infinity || name.IndexOf('/', entry.Length + 1) < 0));
}
