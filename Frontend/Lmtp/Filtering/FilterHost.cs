using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Sieve;
using MailCluster.Sieve.Running;

namespace MailCluster.Lmtp.Filtering;

/// <summary>What one account's script may ask: of its own mailboxes, its own memory, its own and its tenant's scripts, and nothing else.</summary>
internal sealed class FilterHost(MailClusterClient cluster, IMailFilters filters, ScriptCache scripts, AccountSettings account, StagedBody body) : ISieveHost
{
    /// <summary>Octets of an annotation that a script sees; larger ones are as if there were none.</summary>
    private const int MostMetadata = 8192;

    private MailboxTree? _tree;

    /// <summary>The script has asked what an earlier delivery left: whether that was this very one has to be found out.</summary>
    public bool AskedForMarks { get; private set; }

    public async ValueTask<ReadOnlyMemory<byte>> ReadAsync(int octets, CancellationToken cancellationToken)
    {
        var bytes = new byte[Math.Min(octets, body.Size)];
        int at = 0;
        await foreach (ReadOnlyMemory<byte> piece in cluster.Bodies.ReadAsync(body.Body, body.Size, 0, bytes.Length, cancellationToken).ConfigureAwait(false))
        {
            piece.CopyTo(bytes.AsMemory(at));
            at += piece.Length;
        }
        return bytes;
    }

    public async ValueTask<bool> MailboxExistsAsync(string name, CancellationToken cancellationToken) => await FindAsync(name, cancellationToken).ConfigureAwait(false) is not null;

    public async ValueTask<string?> MetadataAsync(string? mailbox, string entry, CancellationToken cancellationToken)
    {
        if (mailbox is not null && PathOf(mailbox) is null)
            return null;
        IAccountGrain owner = cluster.Account(account.Account);
        var request = new MetadataRequest(mailbox is null ? null : PathOf(mailbox), account.Account, [entry.ToLowerInvariant()], MaxSize: MostMetadata);
        MailResult<IReadOnlyList<MetadataEntry>> found = await cluster.CallAsync(() => owner.GetMetadata(request), cancellationToken).ConfigureAwait(false);
        if (found.Error is { Code: MailErrorCode.Unavailable } away)
            throw new StoreUnavailableException(away.Text);
        return found.Value is [{ Value: { } value }, ..] ? Encoding.UTF8.GetString(value) : null;
    }

    public async ValueTask<bool> MailboxIdExistsAsync(string id, CancellationToken cancellationToken) => await FindIdAsync(id, cancellationToken).ConfigureAwait(false) is not null;

    public async ValueTask<bool> SpecialUseExistsAsync(string? name, string use, CancellationToken cancellationToken) => name is null
        ? await FindUseAsync(use, cancellationToken).ConfigureAwait(false) is not null
        : (await FindAsync(name, cancellationToken).ConfigureAwait(false))?.SpecialUse.Contains(use, StringComparer.OrdinalIgnoreCase) is true;

    public async ValueTask<bool> IsMarkedAsync(string mark, CancellationToken cancellationToken)
    {
        AskedForMarks = true;
        MemoryKey key = MarkOf(mark);
        return (await filters.RecallAsync(account.Account, [key], cancellationToken).ConfigureAwait(false)).Contains(key);
    }

    public async ValueTask<SieveScript?> IncludeAsync(IncludedScript script, CancellationToken cancellationToken)
    {
        ScriptOwner owner = script.Global ? ScriptOwner.Of(account.Tenant) : ScriptOwner.Of(account.Account);
        return await filters.SourceAsync(owner, script.Name, cancellationToken).ConfigureAwait(false) is { } stored ? scripts.Compile(stored).Script : null;
    }

    /// <summary>As the script test duplicate names it.</summary>
    public static MemoryKey MarkOf(string mark) => new(MemoryKind.Duplicate, new Guid(Convert.FromHexString(mark)));

    /// <summary>A mailbox by the name that a script has for it: UTF-8, with the account's delimiter and prefix (RFC 5228 §4.1); null: it is no name.</summary>
    public MailboxPath? PathOf(string name)
    {
        // What is filed under such a name could never be opened: it names what others share.
        if (IsIn(account.OthersNamespace) || IsIn(account.SharedNamespace))
            return null;
        if (account.Prefix.Length > 0 && name.StartsWith(account.Prefix, StringComparison.OrdinalIgnoreCase) && name.Length > account.Prefix.Length)
            name = name[account.Prefix.Length..];
        return name.Length == 0 || name.Split(account.Delimiter).Any(static s => s.Length == 0) ? null : MailboxPath.Parse(name, account.Delimiter);

        bool IsIn(string space) => space.Length > 0 && name.StartsWith(space, StringComparison.Ordinal) && (name.Length == space.Length || name[space.Length] == account.Delimiter);
    }

    public async ValueTask<MailboxInfo?> FindAsync(string name, CancellationToken cancellationToken) =>
        PathOf(name) is { } path ? (await TreeAsync(cancellationToken).ConfigureAwait(false)).Mailboxes.FirstOrDefault(m => m.Selectable && m.Path.Equals(path)) : null;

    public async ValueTask<MailboxInfo?> FindIdAsync(string id, CancellationToken cancellationToken) =>
        (await TreeAsync(cancellationToken).ConfigureAwait(false)).Mailboxes.FirstOrDefault(m => m.Selectable && ObjectId(m.Id) == id);

    public async ValueTask<MailboxInfo?> FindUseAsync(string use, CancellationToken cancellationToken) =>
        (await TreeAsync(cancellationToken).ConfigureAwait(false)).Mailboxes.FirstOrDefault(m => m.Selectable && m.SpecialUse.Contains(use, StringComparer.OrdinalIgnoreCase));

    /// <summary>Read once for a delivery.</summary>
    private async ValueTask<MailboxTree> TreeAsync(CancellationToken cancellationToken)
    {
        if (_tree is not null)
            return _tree;
        IAccountGrain owner = cluster.Account(account.Account);
        MailResult<MailboxTree> tree = await cluster.CallAsync(() => owner.List(withStatus: false), cancellationToken).ConfigureAwait(false);
        return _tree = tree.Value ?? throw new StoreUnavailableException(tree.Error!.Text);
    }

    /// <summary>MAILBOXID, as IMAP tells it.</summary>
    private static string ObjectId(MailboxId id) => "F" + id.Value;
}
