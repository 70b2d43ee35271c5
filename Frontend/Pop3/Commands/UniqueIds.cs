using MailCluster.Contracts;
using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>The unique-ids of a maildrop's messages, asked for in the order of their UIDs: what was imported comes from the owner, some thousand at a time.</summary>
internal sealed class UniqueIds(Pop3Session session, Maildrop maildrop)
{
    private readonly Dictionary<uint, string> _page = [];

    /// <summary>The last UID that the page tells about.</summary>
    private uint _until;

    /// <summary>Reads the first of them, so that a failure comes before the answer. Failures as of <see cref="IMailboxGrain.ImportedUidls"/>.</summary>
    public ValueTask<MailError?> BeginAsync() => LoadAsync(1, MailboxLimits.UidlPage);

    /// <summary>The unique-id of a message: 1 to 70 characters in the range 0x21 to 0x7E.</summary>
    /// <param name="count">How many are asked for where this one is not known yet.</param>
    public async ValueTask<MailResult<string>> OfAsync(uint uid, int count = MailboxLimits.UidlPage)
    {
        if (uid > _until && await LoadAsync(uid, count) is { } error)
            return error;
        return _page.TryGetValue(uid, out string? imported) ? imported : $"{maildrop.UidValidity}.{uid}";
    }

    private async ValueTask<MailError?> LoadAsync(uint from, int count)
    {
        IMailboxGrain owner = session.Cluster.Mailbox(maildrop.Key);
        MailResult<IReadOnlyList<ImportedUidl>> read = await session.Cluster.CallAsync(() => owner.ImportedUidls(from, count), session.Wait);
        if (read.Error is { } error)
            return error;
        _page.Clear();
        foreach (ImportedUidl imported in read.Value!)
            _page[imported.Uid] = imported.Uidl;
        _until = read.Value.Count < count ? uint.MaxValue : read.Value[^1].Uid;
        return null;
    }
}
