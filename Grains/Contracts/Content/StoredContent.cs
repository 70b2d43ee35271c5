namespace MailCluster.Contracts.Content;

/// <summary>
/// What <see cref="ContentEncoder"/> wrote, decoded section by section when one is asked for. Texts are slices of the input, which must therefore not change afterwards.
/// </summary>
internal sealed class StoredContent
{
    private readonly ReadOnlyMemory<byte> _envelope;
    private readonly ReadOnlyMemory<byte> _headers;
    private readonly ReadOnlyMemory<byte> _structure;

    private StoredContent(ReadOnlyMemory<byte> encoded)
    {
        if (encoded.IsEmpty || encoded.Span[0] != ContentEncoder.Format)
            throw new MalformedContentException(encoded.IsEmpty ? "Content is empty." : $"Content has the unknown format {encoded.Span[0]}.");
        var cursor = new Cursor(encoded[1..]);
        Octets = encoded.Length;
        Size = cursor.Number();
        int envelope = cursor.Count(1), headers = cursor.Count(1), structure = cursor.Count(1);
        (_envelope, _headers, _structure) = (cursor.Take(envelope), cursor.Take(headers), cursor.Take(structure));
    }

    public int Octets { get; }

    public long Size { get; }

    /// <exception cref="MalformedContentException">The bytes are not a stored form of a known format.</exception>
    public static StoredContent Of(ReadOnlyMemory<byte> encoded) => new(encoded);

    public EnvelopeData Envelope() => new Cursor(_envelope).Envelope();

    public bool HeadersTruncated() => new Cursor(_headers).Number() != 0;

    public IReadOnlyList<ContentHeader> Headers()
    {
        var cursor = new Cursor(_headers);
        cursor.Number();
        var headers = new ContentHeader[cursor.Count(bytesEach: 2)];
        for (var i = 0; i < headers.Length; i++)
            headers[i] = new ContentHeader(cursor.Text(), cursor.Text());
        return headers;
    }

    public BodyPart Root() => new Cursor(_structure).Part(depth: 0);

    private ref struct Cursor(ReadOnlyMemory<byte> whole)
    {
        // The embedded message's root and its message part are two levels; one more for the leaf below the limit.
        private const int MaxDepth = 2 * MessageContent.MaxDepth + 10;

        private readonly ReadOnlyMemory<byte> _whole = whole;
        private readonly ReadOnlySpan<byte> _span = whole.Span;
        private int _at;

        public long Number()
        {
            // Nearly all are of one octet.
            if (_at < _span.Length && _span[_at] < 0x80)
                return _span[_at++];
            ulong value = 0;
            for (var i = 0; i < 9 && _at + i < _span.Length; i++)
            {
                var octet = _span[_at + i];
                value |= (ulong)(octet & 0x7F) << (7 * i);
                if (octet >= 0x80)
                    continue;
                _at += i + 1;
                return (long)value;
            }
            throw new MalformedContentException("Content has a number that does not end.");
        }

        /// <summary>A count of things that take at least <paramref name="bytesEach"/> bytes: refuses one that the rest cannot hold before anything is allocated.</summary>
        public int Count(int bytesEach)
        {
            var count = Number();
            if (count > (_span.Length - _at) / bytesEach)
                throw new MalformedContentException("Content ends before what it announces.");
            return (int)count;
        }

        public ReadOnlyMemory<byte> Take(int length)
        {
            if (length > _span.Length - _at)
                throw new MalformedContentException("Content ends before what it announces.");
            var taken = _whole.Slice(_at, length);
            _at += length;
            return taken;
        }

        public RawText Text()
        {
            var length = Number();
            if (length == 0)
                return default;
            if (length - 1 > _span.Length - _at)
                throw new MalformedContentException("Content ends inside a text.");
            return new RawText(Take((int)(length - 1)));
        }

        public EnvelopeData Envelope() => new()
        {
            Date = Text(),
            Subject = Text(),
            From = Addresses(),
            Sender = Addresses(),
            ReplyTo = Addresses(),
            To = Addresses(),
            Cc = Addresses(),
            Bcc = Addresses(),
            InReplyTo = Text(),
            MessageId = Text(),
        };

        private EnvelopeAddress[] Addresses()
        {
            var count = Count(bytesEach: 4);
            if (count == 0)
                return [];
            var addresses = new EnvelopeAddress[count];
            for (var i = 0; i < addresses.Length; i++)
                addresses[i] = new EnvelopeAddress(Text(), Text(), Text(), Text());
            return addresses;
        }

        public BodyPart Part(int depth)
        {
            if (depth > MaxDepth)
                throw new MalformedContentException("Content is nested too deeply.");
            var kind = (BodyPartKind)Number();
            if (kind > BodyPartKind.Multipart)
                throw new MalformedContentException("Content has an unknown kind of part.");
            var part = new BodyPart
            {
                Kind = kind,
                HeaderOffset = Number(),
                HeaderLength = Number(),
                BodyOffset = Number(),
                BodyLength = Number(),
                Lines = Number(),
                Type = Text(),
                Subtype = Text(),
                Parameters = Parameters(),
                Id = Text(),
                Description = Text(),
                Encoding = Text(),
                Md5 = Text(),
                Disposition = Text(),
                DispositionParameters = Parameters(),
                Languages = Texts(),
                Location = Text(),
                Envelope = kind == BodyPartKind.Message ? Envelope() : null,
                Parts = Parts(depth),
            };
            if (kind == BodyPartKind.Leaf ? part.Parts.Count != 0 : part.Parts.Count == 0 || (kind == BodyPartKind.Message && part.Parts.Count != 1))
                throw new MalformedContentException("Content has a part with the wrong number of parts inside.");
            return part;
        }

        private BodyPart[] Parts(int depth)
        {
            var count = Count(bytesEach: 17);
            if (count == 0)
                return [];
            var parts = new BodyPart[count];
            for (var i = 0; i < parts.Length; i++)
                parts[i] = Part(depth + 1);
            return parts;
        }

        private RawText[] Texts()
        {
            var count = Count(bytesEach: 1);
            if (count == 0)
                return [];
            var texts = new RawText[count];
            for (var i = 0; i < texts.Length; i++)
                texts[i] = Text();
            return texts;
        }

        private BodyParameter[] Parameters()
        {
            var count = Count(bytesEach: 2);
            if (count == 0)
                return [];
            var parameters = new BodyParameter[count];
            for (var i = 0; i < parameters.Length; i++)
                parameters[i] = new BodyParameter(Text(), Text());
            return parameters;
        }
    }
}
