using System.Collections;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;

namespace MailCluster.Imap.Search;

/// <summary>
/// Finds the messages of one version of a mailbox that pass a test: first by the snapshot alone; what that leaves open by stored headers, in
/// batches; what is open then by the text of the messages. Memory is bounded by a batch, whatever the mailbox and its messages are.
/// </summary>
internal sealed class MailboxSearch(IMessageBodies store, AccountId account, SearchTest test)
{
    /// <summary>Messages after which others get the processor.</summary>
    private const int Stride = 4096;

    private readonly MessageBatches _batches = new(store, account);
    private readonly SearchSubject _subject = new();

    /// <param name="messages">The version.</param>
    /// <param name="ghosts">Messages in it that no longer exist: never found.</param>
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async ValueTask<SearchFound> RunAsync(MailboxSnapshot messages, UidSet ghosts, CancellationToken cancellationToken)
    {
        var found = new BitArray(messages.Count);
        var open = new List<int>();
        foreach (MessageRef message in messages.Messages())
        {
            if (message.Index % Stride == Stride - 1)
            {
                cancellationToken.ThrowIfCancellationRequested();
                await Task.Yield();
            }
            if (!ghosts.IsEmpty && ghosts.Contains(message.Uid))
                continue;
            if (test.Decide(_subject.Of(message)) is { } decided)
                found[message.Index] = decided;
            else
                open.Add(message.Index);
        }
        foreach (IReadOnlyList<MessageRef> batch in MessageBatches.Split(open.Select(index => messages[index])))
        {
            cancellationToken.ThrowIfCancellationRequested();
            await DecideAsync(batch, found, cancellationToken).ConfigureAwait(false);
        }
        return SearchFound.Of(messages, found);
    }

    private async ValueTask DecideAsync(IReadOnlyList<MessageRef> batch, BitArray found, CancellationToken cancellationToken)
    {
        var open = new List<LoadedMessage>();
        foreach (LoadedMessage message in await _batches.LoadAsync(batch, content: true, bodies: false, cancellationToken).ConfigureAwait(false))
        {
            // Expunged meanwhile: no match, whatever was asked.
            if (message.Email is null || await HeadersAsync(message, cancellationToken).ConfigureAwait(false) is not { } headers)
                continue;
            if (test.Decide(_subject.Of(message.Row, headers)) is { } decided)
                found[message.Row.Index] = decided;
            else
                open.Add(message);
        }
        foreach (LoadedMessage message in await _batches.WithBodiesAsync(open, cancellationToken).ConfigureAwait(false))
            found[message.Row.Index] = await LookInsideAsync(message, cancellationToken).ConfigureAwait(false);
    }

    private static async ValueTask<IReadOnlyList<ContentHeader>?> HeadersAsync(LoadedMessage message, CancellationToken cancellationToken)
    {
        try
        {
            return await MessageText.HeadersAsync(message.Bytes!, message.Email!.Content!, cancellationToken).ConfigureAwait(false);
        }
        catch (BodyGoneException)
        {
            return null;
        }
    }

    private async ValueTask<bool> LookInsideAsync(LoadedMessage message, CancellationToken cancellationToken)
    {
        (MessageBytes bytes, MessageContent content) = (message.Bytes!, message.Email!.Content!);
        if (await HeadersAsync(message, cancellationToken).ConfigureAwait(false) is not { } headers)
            return false;
        var questions = new TextQuestions();
        test.Ask(_subject.Of(message.Row, headers), questions);
        try
        {
            if (questions.Body.Count > 0)
            {
                string[] values = [.. questions.Body];
                Answer(values, inHeader: false, await MessageText.BodyContainsAsync(bytes, content, values, cancellationToken).ConfigureAwait(false));
            }
            if (questions.Text.Count > 0)
            {
                string[] values = [.. questions.Text];
                Answer(values, inHeader: true, await MessageText.TextContainsAsync(bytes, content, values, cancellationToken).ConfigureAwait(false));
            }
        }
        catch (BodyGoneException)
        {
            return false;
        }
        return test.Decide(_subject) ?? throw new InvalidOperationException("Every string was looked for, and the test is still open.");
    }

    private void Answer(string[] values, bool inHeader, bool[] found)
    {
        for (int i = 0; i < values.Length; i++)
            _subject.Answers(inHeader)[values[i]] = found[i];
    }
}
