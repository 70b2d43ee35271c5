using MailCluster.Contracts;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>Lists of rights of the one account's mailboxes, and what others share with it.</summary>
internal sealed partial class FakeAccount
{
    private readonly Dictionary<MailboxPath, List<NamedRights>> _rights = [];

    /// <summary>Who can be named in a list of rights.</summary>
    public HashSet<string> Neighbours { get; } = ["bob", "carol", NamedRights.Anyone];

    public SharedTree Others { get; set; } = new([], []);

    public ValueTask<MailResult<MailboxInfo>> FindAs(MailboxPath path, AccountId viewer) => throw new NotSupportedException();

    public ValueTask<MailResult<MailboxInfo>> CreateAs(OperationId operation, MailboxPath path, IReadOnlyList<string> specialUse, AccountId viewer) => throw new NotSupportedException();

    public ValueTask<MailResult<Done>> DeleteAs(OperationId operation, MailboxPath path, AccountId viewer) => throw new NotSupportedException();

    public ValueTask<MailResult<Done>> RenameAs(OperationId operation, MailboxPath from, MailboxPath to, AccountId viewer) => throw new NotSupportedException();

    public ValueTask<MailResult<Done>> SubscribeTo(AccountId owner, MailboxPath path, bool subscribed) => throw new NotSupportedException();

    public ValueTask<MailResult<AccountQuota>> QuotaOf(MailboxPath path, AccountId viewer) => throw new NotSupportedException();

    public ValueTask<MailResult<SharedTree>> ListShared(ListRequest request) => new(Others);

    public ValueTask<MailResult<MailboxRights>> Acl(MailboxPath path, AccountId viewer) => Do<MailboxRights>(() =>
        Existing(path).Error is { } missing ? missing : new MailboxRights(Account.User, _rights.GetValueOrDefault(path) ?? []));

    public ValueTask<MailResult<Done>> SetAcl(SetAclRequest request) => Do<Done>(() =>
    {
        if (Existing(request.Path).Error is { } missing)
            return missing;
        if (!Neighbours.Contains(request.Name))
            return new MailError(MailErrorCode.NonExistent, "Nobody.");
        List<NamedRights> list = _rights.TryGetValue(request.Path, out List<NamedRights>? known) ? known : _rights[request.Path] = [];
        MailRights before = list.Find(e => e.Name == request.Name && e.Negative == request.Negative)?.Rights ?? MailRights.None;
        list.RemoveAll(e => e.Name == request.Name && e.Negative == request.Negative);
        MailRights after = request.Mode switch { StoreMode.Replace => request.Rights, StoreMode.Add => before | request.Rights, _ => before & ~request.Rights };
        if (after != MailRights.None)
            list.Add(new NamedRights(request.Name, request.Negative, after));
        return Done.Value;
    });
}
