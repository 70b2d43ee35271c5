using System.Buffers;
using MailCluster.Contracts.Content;
using MimeKit;

namespace MailCluster.Storage.Content;

/// <summary>
/// Computes <see cref="MessageContent"/> from raw bytes in one pass with bounded memory. Whatever the bytes are, there is a result;
/// only a failing source or a cancellation throws.
/// </summary>
public static class ContentParser
{
    public static MessageContent Parse(ReadOnlyMemory<byte> message) =>
        Parse(System.Runtime.InteropServices.MemoryMarshal.TryGetArray(message, out var segment)
            ? new MemoryStream(segment.Array!, segment.Offset, segment.Count, writable: false)
            : new MemoryStream(message.ToArray(), writable: false));

    /// <param name="source">The body as it is stored (CRLF line ends), read to its end and not disposed.</param>
    public static MessageContent Parse(Stream source)
    {
        var reader = StructureReader.Over(source, out var stream);
        try
        {
            reader.ReadMessage();
        }
        catch (Exception) when (!stream.SourceFailed)
        {
            // Bytes that MimeKit gives up on: what was found so far stands, the rest is one leaf.
        }
        var tail = new Tail();
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            while (source.Read(buffer) is var read and > 0)
                tail.Add(buffer.AsSpan(0, read));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return Finish(reader, stream, tail);
    }

    /// <inheritdoc cref="Parse(Stream)"/>
    public static async ValueTask<MessageContent> ParseAsync(Stream source, CancellationToken cancellationToken = default)
    {
        var reader = StructureReader.Over(source, out var stream);
        try
        {
            await reader.ReadMessageAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception) when (!stream.SourceFailed && !cancellationToken.IsCancellationRequested)
        {
            // As in Parse.
        }
        var tail = new Tail();
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            while (await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false) is var read and > 0)
                tail.Add(buffer.AsSpan(0, read));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
        return Finish(reader, stream, tail);
    }

    private static MessageContent Finish(StructureReader reader, BoundedHeaderStream stream, Tail tail)
    {
        var end = StructureReader.Origin + stream.MessageBytes + tail.Length;
        if (reader.Unfinished.Any())
        {
            if (!reader.Block.Ended)
            {
                reader.Block.End = tail.HeaderEnd < 0 ? end : StructureReader.Origin + stream.MessageBytes + tail.HeaderEnd;
                var leaf = reader.NewPart(BodyPartKind.Leaf, null, reader.Block);
                leaf.Lines = tail.BodyLines;
                leaf.BodyEnd = end;
                reader.AttachUnfinished(leaf);
            }
            foreach (var node in reader.Unfinished)
            {
                node.BodyEnd = end;
                StructureReader.Complete(node);
            }
        }
        var root = reader.Outer?.Parts.FirstOrDefault() ?? PartNode.Bare("text", "plain", StructureReader.Origin);
        // The reader may skip the first bytes, and stop before the last; no byte of the message is outside its root.
        root.HeaderBegin = StructureReader.Origin;
        if (root.BodyEnd != end)
        {
            root.BodyEnd = end;
            StructureReader.Extend(root);
        }
        return new MessageContent
        {
            Size = end - StructureReader.Origin,
            Envelope = reader.Outer?.Envelope ?? EnvelopeData.None,
            Headers = reader.Headers,
            HeadersTruncated = reader.HeadersTruncated,
            Root = root.ToBodyPart(StructureReader.Origin, end),
        };
    }

    /// <summary>What the MIME reader left unread: its length, and where the header ends that the reader gave up in.</summary>
    private sealed class Tail
    {
        private bool inLine = true;
        private bool afterCr;

        public long Length { get; private set; }

        /// <summary>After the first empty line, from the start of the tail; -1 when there is none.</summary>
        public long HeaderEnd { get; private set; } = -1;

        /// <summary>Lines after <see cref="HeaderEnd"/>.</summary>
        public long BodyLines => lines + (HeaderEnd >= 0 && inLine ? 1 : 0);

        private long lines;

        public void Add(ReadOnlySpan<byte> bytes)
        {
            foreach (var c in bytes)
            {
                Length++;
                if (c == '\n')
                {
                    if (HeaderEnd >= 0)
                        lines++;
                    else if (!inLine)
                        HeaderEnd = Length;
                    inLine = false;
                }
                else if (c != '\r' || afterCr || HeaderEnd >= 0)
                    inLine = true;
                afterCr = c == '\r';
            }
        }
    }
}
