namespace MailCluster.Contracts;

/// <summary>
/// What the owners of accounts in this very process remember: doors in the same process let users in by it, without a call, a turn of the owner or a change of thread.
/// One object a process; safe for use by many threads.
/// </summary>
public interface ILocalAccounts
{
    /// <summary>
    /// Opens a session where the owner, if it were asked now, would open it from memory: it is here, its row is fresh, the password is the one that was right before, no
    /// limit is reached and nothing is slowed down. Null in every other case, each refusal among them: then <see cref="IAccountGrain.Authenticate"/> decides.
    /// </summary>
    AccountSession? TryLogIn(AccountId account, LoginRequest request);

    /// <summary>What the owner, if it were asked for the settings now, would answer from memory; null where it is elsewhere or would have to read: then <see cref="IAccountGrain.Settings"/> does.</summary>
    AccountSettings? TrySettings(AccountId account);

    /// <summary>Ends a session's lease; false: the owner is elsewhere and must be told.</summary>
    bool TryEnd(AccountId account, string sessionId);
}
