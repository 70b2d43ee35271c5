using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Search;

/// <summary>Gathers messages in threads (RFC 5256 §4; REFS: draft-ietf-morg-inthread).</summary>
internal sealed class MailboxThreads(MessageHeads heads, ThreadAlgorithm algorithm)
{
    private readonly Dictionary<string, string> _subjects = new(StringComparer.Ordinal);

    /// <exception cref="OperationCanceledException">The client is gone.</exception>
    /// <exception cref="StoreUnavailableException">The store can't be reached.</exception>
    public async ValueTask<ThreadTree> RunAsync(MailboxSnapshot messages, UidSet found, CancellationToken cancellationToken)
    {
        if (algorithm == ThreadAlgorithm.OrderedSubject)
        {
            var read = new List<ThreadMessage>();
            await heads.ReadAsync(messages.Messages(found), (row, content) => read.Add(MessageOf(row, content?.Envelope ?? EnvelopeData.None)), cancellationToken).ConfigureAwait(false);
            return await Task.Run(() => BySubject(read), cancellationToken).ConfigureAwait(false);
        }
        var links = new ReferenceLinks();
        await heads.ReadAsync(messages.Messages(found), (row, content) =>
        {
            EnvelopeData envelope = content?.Envelope ?? EnvelopeData.None;
            links.Add(MessageOf(row, envelope), IdOf(envelope), ReferencesOf(envelope, content));
        }, cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => Finish(links.Tree), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>ORDEREDSUBJECT: the first of a subject has all others of it as children.</summary>
    private static ThreadTree BySubject(List<ThreadMessage> read)
    {
        var tree = new ThreadTree();
        var first = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (ThreadMessage message in read.OrderBy(static m => m.Date).ThenBy(static m => m.Row.Index))
        {
            int node = tree.Add(message);
            if (!first.TryAdd(message.Subject, node))
                tree.Link(first[message.Subject], node);
        }
        tree.FindRoots();
        tree.Sort();
        return tree;
    }

    private ThreadTree Finish(ThreadTree tree)
    {
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

    private ThreadMessage MessageOf(MessageRef row, EnvelopeData envelope)
    {
        if (algorithm == ThreadAlgorithm.Refs)
            return new ThreadMessage(row, row.InternalDate.ToUnixTimeSeconds(), "", false);
        BaseSubject subject = BaseSubject.Of(SortColumn.SubjectOf(envelope));
        // A thread has one subject: one copy for all.
        if (!_subjects.TryGetValue(subject.Text, out string? collated))
            _subjects[subject.Text] = collated = UnicodeCasemap.Map(subject.Text);
        return new ThreadMessage(row, SortColumn.SentDate(row, envelope), collated, subject.IsReplyOrForward);
    }

    private static string? IdOf(EnvelopeData envelope) => Ids(envelope.MessageId).FirstOrDefault();

    /// <summary>References, or without any the first of In-Reply-To (RFC 5256 §4, step 1).</summary>
    private static IEnumerable<string> ReferencesOf(EnvelopeData envelope, MessageContent? content)
    {
        string[] references = [.. (content?.Headers ?? [])
            .Where(static h => h.Name.EqualsIgnoreCase("References"u8)).SelectMany(static h => Ids(h.Value))];
        return references.Length > 0 ? references : Ids(envelope.InReplyTo).Take(1);
    }

    /// <summary>The identifiers of a field; quoting makes no difference (RFC 5256 §4).</summary>
    private static IEnumerable<string> Ids(RawText value) =>
        MessageIds.Parse(value.Span).Select(static id => id.Contains('"') ? id.Replace("\"", "", StringComparison.Ordinal) : id);
}
