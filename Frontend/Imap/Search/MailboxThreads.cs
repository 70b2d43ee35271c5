using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Search;

/// <summary>Gathers messages in threads (RFC 5256 §4; REFS: draft-ietf-morg-inthread).</summary>
internal sealed class MailboxThreads(MessageKeys keys, ThreadAlgorithm algorithm)
{
    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async ValueTask<ThreadTree> RunAsync(MailboxSnapshot messages, UidSet found, CancellationToken cancellationToken)
    {
        MessageRef[] rows = [.. messages.Messages(found)];
        KeyKind[] kinds = algorithm switch
        {
            ThreadAlgorithm.OrderedSubject => [KeyKind.Date, KeyKind.Subject],
            ThreadAlgorithm.Refs => [KeyKind.Links],
            _ => [KeyKind.Date, KeyKind.Subject, KeyKind.Links],
        };
        KeyTable table = await keys.LoadAsync(messages, rows, kinds, cancellationToken).ConfigureAwait(false);
        // Not on an event loop, which others wait for.
        return await Task.Run(() => algorithm == ThreadAlgorithm.OrderedSubject ? BySubject(rows, table) : ByReferences(rows, table), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>ORDEREDSUBJECT: the first of a subject has all others of it as children.</summary>
    private ThreadTree BySubject(MessageRef[] rows, KeyTable table)
    {
        var tree = new ThreadTree();
        var first = new Dictionary<KeyText, int>();
        foreach (ThreadMessage message in rows.Select((row, i) => MessageOf(row, i, table)).OrderBy(static m => m.Date).ThenBy(static m => m.Row.Index))
        {
            int node = tree.Add(message);
            if (!first.TryAdd(message.Subject, node))
                tree.Link(first[message.Subject], node);
        }
        tree.FindRoots();
        tree.Sort();
        return tree;
    }

    private ThreadTree ByReferences(MessageRef[] rows, KeyTable table)
    {
        var links = new ReferenceLinks(rows.Length);
        for (int i = 0; i < rows.Length; i++)
        {
            UInt128 id = table.Links(i, out ReadOnlySpan<UInt128> references);
            links.Add(MessageOf(rows[i], i, table), id, references);
        }
        ThreadTree tree = links.Tree;
        tree.FindRoots();
        tree.Prune();
        tree.Sort(newest: algorithm == ThreadAlgorithm.Refs);
        if (algorithm == ThreadAlgorithm.References)
        {
            SubjectMerge.Apply(tree);
            tree.Sort();
        }
        return tree;
    }

    private ThreadMessage MessageOf(MessageRef row, int place, KeyTable table) => algorithm == ThreadAlgorithm.Refs
        ? new ThreadMessage(row, row.InternalDate.ToUnixTimeSeconds(), default, false)
        : new ThreadMessage(row, table.Date(place), table.Text(KeyKind.Subject, place), table.IsReplyOrForward(place));
}
