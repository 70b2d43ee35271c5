namespace MailCluster.Contracts;

/// <summary>
/// Mail that waits to leave. Each message is taken by one sender for a time; whoever does not end it or renew its time loses it to the next. Every change names the
/// attempt that it belongs to and is without effect where another one has begun since.
/// All methods throw <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.
/// </summary>
public interface IOutbox
{
    /// <summary>Takes up to so many messages that are due, those that wait longest first, at most a few of one account.</summary>
    ValueTask<IReadOnlyList<WaitingMail>> TakeAsync(string sender, int limit, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>Keeps a message that is being sent; false: it is another's by now.</summary>
    ValueTask<bool> RenewAsync(WaitingMail mail, TimeSpan lease, CancellationToken cancellationToken);

    /// <summary>It was sent, or given up: it is gone, with its claim on the body.</summary>
    ValueTask<bool> EndAsync(WaitingMail mail, CancellationToken cancellationToken);

    /// <summary>It could not be sent now.</summary>
    ValueTask<bool> RetryAsync(WaitingMail mail, TimeSpan wait, string error, CancellationToken cancellationToken);

    /// <summary>How many messages wait, and for how long the oldest does.</summary>
    ValueTask<(long Count, TimeSpan Oldest)> WaitingAsync(CancellationToken cancellationToken);
}

/// <param name="Operation">The delivery that made it; with <see cref="OutgoingMail.Ordinal"/> its name.</param>
/// <param name="Claim">Of the body.</param>
/// <param name="Attempt">From 1.</param>
public sealed record WaitingMail(AccountId Account, TenantId Tenant, Guid Operation, OutgoingMail Mail, int? Claim, int Attempt, DateTimeOffset Created);
