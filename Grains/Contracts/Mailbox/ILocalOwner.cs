using System.IO.Pipelines;

namespace MailCluster.Contracts;

/// <summary>
/// The owner of a mailbox as doors of its very process reach it: the usual changes by the mailbox's own account go from the door to the commit and back without a call, a turn of the owner or a
/// thread of the pool. Each method answers what the one of <see cref="IMailboxGrain"/> answers, or null where only the owner itself can say: then that is called, with the same request. Safe for many threads.
/// </summary>
public interface ILocalOwner
{
    /// <param name="resume">Where whoever waits goes on.</param>
    Task<MailResult<AppendResult>>? TryAppend(AppendRequest request, PipeScheduler resume);

    /// <inheritdoc cref="TryAppend"/>
    Task<MailResult<StoreResult>>? TryStore(StoreRequest request, PipeScheduler resume);

    /// <inheritdoc cref="TryAppend"/>
    Task<MailResult<ExpungeResult>>? TryExpunge(ExpungeRequest request, PipeScheduler resume);
}
