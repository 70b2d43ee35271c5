using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;

namespace MailCluster.Imap.Search;

/// <summary>
/// Reads what SORT and THREAD take their keys from: envelopes and headers as they were stored, of many messages in few questions, of which the next are on their way
/// while the answers to one are looked at. Keeps nothing.
/// </summary>
internal sealed class MessageHeads(IMessageBodies store, AccountId account)
{
    /// <summary>Messages of one question.</summary>
    private const int MaxMessages = 1024;

    /// <summary>Questions under way: one is answered while another is worked on.</summary>
    private const int Ahead = 2;

    /// <param name="look">Called for each message in order; with null where it was expunged and collected meanwhile.</param>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async ValueTask ReadAsync(IEnumerable<MessageRef> messages, Action<MessageRef, MessageContent?> look, CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using IEnumerator<IReadOnlyList<MessageRef>> batches = MessageBatches.Split(messages, MaxMessages).GetEnumerator();
        var asked = new Queue<(IReadOnlyList<MessageRef> Batch, Task<IReadOnlyList<StoredEmail?>> Answer)>();
        try
        {
            while (true)
            {
                while (asked.Count < Ahead && batches.MoveNext())
                    asked.Enqueue((batches.Current, AskAsync(batches.Current, stop.Token)));
                if (!asked.TryPeek(out var next))
                    return;
                IReadOnlyList<StoredEmail?> emails = await next.Answer.ConfigureAwait(false);
                asked.Dequeue();
                for (int i = 0; i < emails.Count; i++)
                    look(next.Batch[i], emails[i]?.Content);
            }
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false);
            foreach (var left in asked)
                await ((Task)left.Answer).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private Task<IReadOnlyList<StoredEmail?>> AskAsync(IReadOnlyList<MessageRef> batch, CancellationToken cancellationToken)
    {
        EmailId[] emails = [.. batch.Select(static m => m.Email)];
        return Task.Run(() => store.GetEmailsAsync(account, emails, withContent: true, cancellationToken).AsTask(), cancellationToken);
    }
}
