using System.Text;
using MailCluster.Contracts.Content;
using MimeKit;

namespace MailCluster.Storage.Content;

/// <summary>
/// Builds the tree of parts from MimeKit's events. The reader is given a message/rfc822 part around the message, because below its top
/// level MimeKit takes any line for a header where it would otherwise refuse the message.
/// </summary>
internal sealed class StructureReader : MimeReader
{
    /// <summary>Bytes of header values kept of one message; what comes after is treated as absent.</summary>
    private const int MaxKeptBytes = 8 * 1024 * 1024;

    private static readonly byte[] Wrapper = "Content-Type: message/rfc822\r\n\r\n"u8.ToArray();
    private static readonly ParserOptions Limits = new() { MaxMimeDepth = MessageContent.MaxDepth + 1 };

    private readonly BoundedHeaderStream stream;
    private readonly Stack<PartNode> open = new();
    private readonly List<ContentHeader> headers = [];
    private int headerBytes;
    private int keptBytes;
    private int blocks;
    private int parts;
    private int ignored;

    private StructureReader(BoundedHeaderStream stream)
        : base(Limits, stream) => this.stream = stream;

    public static StructureReader Over(Stream source, out BoundedHeaderStream stream)
    {
        stream = new BoundedHeaderStream(Wrapper, source);
        return new StructureReader(stream);
    }

    /// <summary>Offset of the message in the offsets of the nodes.</summary>
    public static int Origin => Wrapper.Length;

    /// <summary>The made-up part around the message; null when nothing was read.</summary>
    public PartNode? Outer { get; private set; }

    /// <summary>The header block that was read last, or that reading stopped in.</summary>
    public HeaderBlock Block { get; private set; } = new(0);
    public IReadOnlyList<ContentHeader> Headers => headers;
    public bool HeadersTruncated { get; private set; }

    /// <summary>The parts that reading stopped in, innermost first; empty after an orderly end.</summary>
    public IEnumerable<PartNode> Unfinished => open;

    /// <summary>
    /// Attaches the part whose header was never finished to the innermost unfinished one. In a message it is the root, so its
    /// header is the message's.
    /// </summary>
    public void AttachUnfinished(PartNode node)
    {
        var around = open.Peek();
        if (around.Rest is not null)
            return;
        around.Parts.Add(node);
        if (around.Kind == BodyPartKind.Message)
            around.Envelope = Block.Envelope();
    }

    /// <summary>Stretches the last leaf of a part whose end moved.</summary>
    public static void Extend(PartNode node)
    {
        if (node.Rest is { } rest)
            rest.BodyEnd = node.BodyEnd;
    }

    protected override void OnHeadersBegin(long beginOffset, int beginLineNumber, CancellationToken cancellationToken)
    {
        blocks++;
        Block = new HeaderBlock(beginOffset);
        stream.HeaderBegins();
    }

    protected override void OnHeaderRead(Header header, int beginLineNumber, CancellationToken cancellationToken)
    {
        stream.FieldRead();
        var isTop = blocks == 2;
        // A byte order mark in front of the first field is no part of its name.
        if (isTop && header.RawField.AsSpan().StartsWith(Encoding.UTF8.Preamble) && Header.TryParse(header.RawField, Encoding.UTF8.Preamble.Length, out var marked))
            header = marked;
        // A line that is no field comes without a value; so does a field at the very end, which says nothing either.
        if (header.RawValue.Length == 0)
            return;
        var id = header.Id;
        if (!isTop && !HeaderBlock.Wants(id))
            return;
        var value = new RawText(HeaderField.Unfold(header.RawValue));
        if (isTop)
            KeepHeader(new RawText(header.RawField.AsMemory().TrimEnd(" \t"u8)), value);
        if (HeaderBlock.Wants(id) && keptBytes + value.Length <= MaxKeptBytes && Block.Add(id, value))
            keptBytes += value.Length;
    }

    protected override void OnHeadersEnd(long beginOffset, int beginLineNumber, long endOffset, int endLineNumber, CancellationToken cancellationToken)
    {
        Block.End = endOffset;
        Block.Ended = true;
        stream.HeaderEnded();
    }

    protected override void OnMimeMessageBegin(long beginOffset, int beginLineNumber, CancellationToken cancellationToken)
    {
        if (ignored == 0 && open.TryPeek(out var message))
            message.Envelope = Block.Envelope();
    }

    protected override void OnMimePartBegin(ContentType contentType, long beginOffset, int beginLineNumber, CancellationToken cancellationToken) =>
        Begin(BodyPartKind.Leaf, contentType);

    protected override void OnMessagePartBegin(ContentType contentType, long beginOffset, int beginLineNumber, CancellationToken cancellationToken) =>
        Begin(BodyPartKind.Message, contentType);

    protected override void OnMultipartBegin(ContentType contentType, long beginOffset, int beginLineNumber, CancellationToken cancellationToken)
    {
        Begin(BodyPartKind.Multipart, contentType);
        // The stream shows boundary lines with its stand-in for the colon.
        if (contentType.Boundary is { } boundary && boundary.Contains(':'))
            contentType.Boundary = boundary.Replace(':', (char)BoundedHeaderStream.ColonStandIn);
    }

    protected override void OnMimePartContentEnd(long beginOffset, int beginLineNumber, long endOffset, int lines, NewLineFormat? newLineFormat, CancellationToken cancellationToken)
    {
        if (ignored > 0)
            return;
        open.Peek().BodyEnd = endOffset;
        open.Peek().Lines = lines;
    }

    protected override void OnMimePartEnd(ContentType contentType, long beginOffset, int beginLineNumber, long headersEndOffset, long endOffset, int lines, CancellationToken cancellationToken) =>
        End(null, 0);

    protected override void OnMessagePartEnd(ContentType contentType, long beginOffset, int beginLineNumber, long headersEndOffset, long endOffset, int lines, CancellationToken cancellationToken) =>
        End(endOffset, lines);

    protected override void OnMultipartEnd(ContentType contentType, long beginOffset, int beginLineNumber, long headersEndOffset, long endOffset, int lines, CancellationToken cancellationToken) =>
        End(endOffset, lines);

    private void Begin(BodyPartKind kind, ContentType contentType)
    {
        if (ignored > 0)
        {
            ignored++;
            return;
        }
        // One more, for the made-up part around the message.
        if (++parts > MessageContent.MaxParts + 1)
        {
            ignored = 1;
            var around = open.Peek();
            if (around.Rest is null)
                around.Parts.Add(around.Rest = PartNode.Bare("application", "octet-stream", Block.Begin));
            return;
        }
        var node = NewPart(kind, contentType, Block);
        if (open.TryPeek(out var parent))
            parent.Parts.Add(node);
        else
            Outer = node;
        open.Push(node);
    }

    private void End(long? endOffset, int lines)
    {
        if (ignored > 0)
        {
            ignored--;
            return;
        }
        var node = open.Pop();
        if (endOffset is { } end)
        {
            node.BodyEnd = Math.Max(node.BodyBegin, end);
            node.Lines = lines;
        }
        Complete(node);
    }

    /// <summary>Gives a part the shape that IMAP needs, once its end is known.</summary>
    public static void Complete(PartNode node)
    {
        if (node.Rest is { } rest)
            rest.BodyEnd = Math.Max(rest.BodyBegin, node.BodyEnd);
        // Two boundary lines with nothing at all between them, not even an empty line, make no part (RFC 2046 §5.1.1).
        if (node.Kind == BodyPartKind.Multipart)
            node.Parts.RemoveAll(part => part.BodyEnd == part.HeaderBegin && part.BodyEnd != node.BodyEnd);
        if (node.Kind == BodyPartKind.Multipart && node.Parts.Count == 0)
            node.Parts.Add(PartNode.Bare("text", "plain", node.BodyEnd));
        else if (node.Kind == BodyPartKind.Message && !IsEmbeddedMessage(node))
        {
            // MimeKit also looks into message/external-body, text/rfc822-headers and others, which IMAP shows as leaves.
            node.Kind = BodyPartKind.Leaf;
            node.Parts.Clear();
        }
        else if (node.Kind == BodyPartKind.Message && node.Parts.Count == 0)
            node.Parts.Add(PartNode.Bare("text", "plain", node.BodyEnd));
        else if (node.Kind == BodyPartKind.Leaf && IsEmbeddedMessage(node))
        {
            // An encoded message (RFC 6532 §3.5 allows it for message/global) cannot be looked into; IMAP's grammar wants a part inside all the same.
            node.Kind = BodyPartKind.Message;
            var inner = PartNode.Bare("application", "octet-stream", node.BodyBegin);
            inner.BodyEnd = node.BodyEnd;
            inner.Encoding = node.Fields?.First(HeaderId.ContentTransferEncoding) ?? default;
            node.Parts.Add(inner);
        }
    }

    public PartNode NewPart(BodyPartKind kind, ContentType? contentType, HeaderBlock block)
    {
        var written = block.First(HeaderId.ContentType);
        RawText type = default, subtype = default;
        IReadOnlyList<BodyParameter> parameters = [];
        var understood = !written.IsAbsent && StructuredField.TryContentType(written.Span, out type, out subtype, out parameters);
        if (contentType is not null && !(understood && Matches(type, contentType.MediaType) && Matches(subtype, contentType.MediaSubtype)))
            (type, subtype) = (RawText.FromLatin1(contentType.MediaType), RawText.FromLatin1(contentType.MediaSubtype));
        var tooDeep = open.Count > MessageContent.MaxDepth && (type.EqualsIgnoreCase("message"u8) || type.EqualsIgnoreCase("multipart"u8));
        if (type.IsAbsent || tooDeep || (kind == BodyPartKind.Leaf && type.EqualsIgnoreCase("multipart"u8)))
        {
            (type, subtype) = (RawText.FromLatin1("application"), RawText.FromLatin1("octet-stream"));
            parameters = [];
        }
        return new PartNode
        {
            Kind = kind,
            HeaderBegin = block.Begin,
            BodyBegin = block.End,
            BodyEnd = block.End,
            Type = type,
            Subtype = subtype,
            Parameters = parameters,
            Fields = block,
        };
    }

    private static bool Matches(RawText written, string understood) => written.EqualsIgnoreCase(Encoding.Latin1.GetBytes(understood));

    private static bool IsEmbeddedMessage(PartNode node) =>
        node.Type.EqualsIgnoreCase("message"u8) && (node.Subtype.EqualsIgnoreCase("rfc822"u8) || node.Subtype.EqualsIgnoreCase("global"u8));

    private void KeepHeader(RawText name, RawText value)
    {
        // A field that does not fit is left out, not the rest: References matter more than one enormous field before them.
        if (headerBytes + name.Length + value.Length > MessageContent.MaxHeaderBytes)
        {
            HeadersTruncated = true;
            return;
        }
        headerBytes += name.Length + value.Length;
        headers.Add(new ContentHeader(name, value));
    }
}
