using System.Collections.Concurrent;
using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>The memories of the account owners that live in this process.</summary>
public sealed class LocalAccounts(ILocalMailboxes lease) : ILocalAccounts
{
    private readonly ConcurrentDictionary<AccountId, AccountMemory> _owners = new();

    internal void Add(AccountId account, AccountMemory memory) => _owners[account] = memory;

    /// <summary>The owner ends; that of a later activation stays.</summary>
    internal void Remove(AccountId account, AccountMemory memory) => _owners.TryRemove(KeyValuePair.Create(account, memory));

    /// <summary>A silo that can't be sure that it is still a member may have an owner that was replaced elsewhere.</summary>
    public AccountSession? TryLogIn(AccountId account, LoginRequest request) =>
        lease.MayRead && _owners.TryGetValue(account, out AccountMemory? memory) ? memory.TryLogIn(request) : null;

    public AccountSettings? TrySettings(AccountId account) =>
        lease.MayRead && _owners.TryGetValue(account, out AccountMemory? memory) ? memory.Account?.Settings : null;

    public bool TryEnd(AccountId account, string sessionId)
    {
        if (!_owners.TryGetValue(account, out AccountMemory? memory))
            return false;
        memory.Sessions.Remove(sessionId);
        return true;
    }
}
