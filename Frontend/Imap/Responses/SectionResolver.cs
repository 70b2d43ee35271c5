using MailCluster.Cluster;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>Finds what a section of BODY[…] names (RFC 9051 §6.4.5.1).</summary>
public static class SectionResolver
{
    /// <summary>
    /// The octets of a section, or null (answer NIL) when the message has no such part, or HEADER or TEXT is asked of a part that is no
    /// message. Reads the header block for HEADER.FIELDS, and otherwise nothing.
    /// </summary>
    public static async ValueTask<SectionContent?> ResolveAsync(
        MessageBytes message, BodyPart root, BodySection section, Partial? partial, CancellationToken cancellationToken)
    {
        if (Find(message, root, section) is not { } range)
            return null;
        if (section.Text is not (SectionText.HeaderFields or SectionText.HeaderFieldsNot))
            return new RangesContent(message, [range], default, partial);
        var filter = new HeaderFieldFilter(section.Fields, section.Text == SectionText.HeaderFieldsNot);
        await foreach (var piece in message.ReadAsync(range, cancellationToken).ConfigureAwait(false))
            filter.Add(piece.Span);
        var (ranges, needsEmptyLine) = filter.Finish(range.Offset);
        return new RangesContent(message, ranges, needsEmptyLine ? "\r\n"u8.ToArray() : default, partial);
    }

    /// <summary>
    /// The part that numbers name, or null. A message that is no multipart is its own part 1; inside a message/rfc822 part the numbers go
    /// on with the embedded message's parts.
    /// </summary>
    public static BodyPart? FindPart(BodyPart root, IReadOnlyList<uint> numbers)
    {
        BodyPart? part = null;
        for (var i = 0; i < numbers.Count; i++)
        {
            var inner = part is null ? root : part.Kind == BodyPartKind.Message ? part.Parts[0] : part;
            if (inner.Kind == BodyPartKind.Multipart)
                part = numbers[i] <= inner.Parts.Count ? inner.Parts[(int)numbers[i] - 1] : null;
            else
                part = numbers[i] == 1 && !ReferenceEquals(inner, part) ? inner : null;
            if (part is null)
                return null;
        }
        return part;
    }

    private static ByteRange? Find(MessageBytes message, BodyPart root, BodySection section)
    {
        var shift = message.Prefix.Length;
        if (section.Part.Count == 0)
        {
            return section.Text switch
            {
                SectionText.All => new ByteRange(0, message.Length),
                SectionText.Text => new ByteRange(shift + root.BodyOffset, root.BodyLength),
                _ => new ByteRange(0, shift + root.HeaderLength),
            };
        }
        if (FindPart(root, section.Part) is not { } part)
            return null;
        if (section.Text == SectionText.All)
            return new ByteRange(shift + part.BodyOffset, part.BodyLength);
        if (section.Text == SectionText.Mime)
        {
            // The header of a message's only part is the message's, with what this server added.
            return ReferenceEquals(part, root) ? new ByteRange(0, shift + root.HeaderLength) : new ByteRange(shift + part.HeaderOffset, part.HeaderLength);
        }
        if (part.Kind != BodyPartKind.Message)
            return null;
        var embedded = part.Parts[0];
        return section.Text == SectionText.Text
            ? new ByteRange(shift + embedded.BodyOffset, embedded.BodyLength)
            : new ByteRange(shift + embedded.HeaderOffset, embedded.HeaderLength);
    }
}
