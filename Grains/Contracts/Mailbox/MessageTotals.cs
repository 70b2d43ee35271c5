namespace MailCluster.Contracts;

/// <summary>What STATUS tells of a number of messages (RFC 9051 §6.3.11, RFC 8438).</summary>
/// <param name="Unseen">Without \Seen.</param>
/// <param name="Deleted">With \Deleted.</param>
/// <param name="Bytes">The sum of RFC822.SIZE.</param>
/// <param name="DeletedBytes">That of those with \Deleted (RFC 9208 §4.1.4).</param>
public sealed record MessageTotals(long Messages, long Unseen, long Deleted, long Bytes, long DeletedBytes)
{
    internal static MessageTotals Of(MessageChunk chunk)
    {
        long unseen = 0, deleted = 0, bytes = 0, deletedBytes = 0;
        for (int i = 0; i < chunk.Count; i++)
        {
            SystemFlags flags = FlagCode.System(chunk.Flags[i]);
            unseen += (flags & SystemFlags.Seen) == 0 ? 1 : 0;
            bytes += chunk.Fixed.Size[i];
            if ((flags & SystemFlags.Deleted) != 0)
            {
                deleted++;
                deletedBytes += chunk.Fixed.Size[i];
            }
        }
        return new MessageTotals(chunk.Count, unseen, deleted, bytes, deletedBytes);
    }

    internal static MessageTotals Of(IReadOnlyList<MessageChunk> chunks)
    {
        long messages = 0, unseen = 0, deleted = 0, bytes = 0, deletedBytes = 0;
        foreach (MessageChunk chunk in chunks)
        {
            MessageTotals totals = chunk.Totals;
            messages += totals.Messages;
            unseen += totals.Unseen;
            deleted += totals.Deleted;
            bytes += totals.Bytes;
            deletedBytes += totals.DeletedBytes;
        }
        return new MessageTotals(messages, unseen, deleted, bytes, deletedBytes);
    }
}
