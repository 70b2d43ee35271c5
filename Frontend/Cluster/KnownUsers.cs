using System.Collections.Concurrent;
using MailCluster.Contracts;

namespace MailCluster.Cluster;

/// <summary>
/// Which account a name logged in to last, or mail to it went: whom to ask first, without a look at the directory. The account's owner knows what it is called now, and alone lets anybody in,
/// so that nothing depends on what is remembered here being true.
/// </summary>
internal sealed class KnownUsers
{
    private const int Most = 100_000;

    private readonly ConcurrentDictionary<string, AccountRef> _accounts = new(StringComparer.Ordinal);

    /// <param name="user">As the client wrote it.</param>
    public AccountRef? Find(string user) => _accounts.GetValueOrDefault(user);

    public void Add(string user, AccountRef account)
    {
        if (_accounts.Count >= Most)
            _accounts.Clear();
        _accounts[user] = account;
    }

    public void Remove(string user) => _accounts.TryRemove(user, out _);
}
