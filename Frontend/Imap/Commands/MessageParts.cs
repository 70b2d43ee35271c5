using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>Parts of messages that annotations are named after (RFC 5257 §3.2.1).</summary>
internal static class MessageParts
{
    /// <summary>BAD where one of the messages has not the parts that the entries are about; null where all have. Reads nothing where no entry is about a part.</summary>
    public static async ValueTask<Completion?> RefuseAsync(ImapSession session, Selected state, IEnumerable<string> entries, UidSet uids)
    {
        IReadOnlyList<uint>[] parts = Of(entries);
        if (parts.Length == 0)
            return null;
        var batches = new MessageBatches(session.Cluster.Bodies, state.Mailbox.Key.Account);
        foreach (IReadOnlyList<MessageRef> batch in MessageBatches.Split(state.Mailbox.Messages.Messages.Messages(uids).Where(static m => m.Email != default)))
        {
            Task<IReadOnlyList<LoadedMessage>> load = batches.LoadAsync(batch, content: true, bodies: false, session.Gone);
            foreach (LoadedMessage message in await session.PatientAsync(new ValueTask<IReadOnlyList<LoadedMessage>>(load), "Still fetching"))
            {
                if (message.Email?.Content is { } content && Refuse(content.Root, parts) is { } missing)
                    return missing;
            }
        }
        return null;
    }

    /// <summary>As above, of a message that waits for its commit.</summary>
    public static async ValueTask<Completion?> RefuseAsync(ImapSession session, IReadOnlyList<AnnotationValue> annotations, StagedBody body)
    {
        IReadOnlyList<uint>[] parts = Of(annotations.Select(static a => a.Entry));
        return parts.Length > 0 && await session.Cluster.Bodies.GetStagedContentAsync(body.Body, session.Gone) is { } content ? Refuse(content.Root, parts) : null;
    }

    /// <summary>The parts that entries are about.</summary>
    public static IReadOnlyList<uint>[] Of(IEnumerable<string> entries) => [.. entries.Select(AnnotationNames.PartOfEntry).OfType<IReadOnlyList<uint>>()];

    public static Completion? Refuse(BodyPart root, IReadOnlyList<uint>[] parts) =>
        Array.Find(parts, p => SectionResolver.FindPart(root, p) is null) is { } missing ? Completion.Bad($"There is no part {string.Join('.', missing)}") : default(Completion?);
}
