using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;

namespace MailCluster.Imap.Search;

/// <summary>What SORT and THREAD compare of a message, and what is not in the snapshot.</summary>
internal enum KeyKind
{
    Date,
    Subject,
    From,
    To,
    Cc,
    DisplayFrom,
    DisplayTo,
    Links,
}

/// <summary>One kind of key of some messages, side by side. Immutable.</summary>
internal abstract class KeyColumn
{
    /// <summary>Octets that it takes.</summary>
    public abstract long Octets { get; }

    /// <summary>Makes a column of messages that come one after the other.</summary>
    internal abstract class Builder
    {
        /// <param name="content">Null where the message was expunged and collected meanwhile.</param>
        public abstract void Add(MessageRef message, MessageContent? content);

        /// <summary>Adds a message that another column of the same kind has.</summary>
        public abstract void Add(KeyColumn known, int place);

        public abstract KeyColumn Finish();

        /// <param name="collation">By which texts are compared.</param>
        public static Builder Of(KeyKind kind, Collation collation) => kind switch
        {
            KeyKind.Date => new DateKeys.DateBuilder(),
            KeyKind.Links => new LinkKeys.LinkBuilder(),
            _ => new TextKeys.TextBuilder(kind, collation),
        };
    }
}

/// <summary>The moment that the Date field names, in seconds since 1970; INTERNALDATE where it can't be read (RFC 5256 §2.2).</summary>
internal sealed class DateKeys(long[] values) : KeyColumn
{
    public override long Octets => values.Length * sizeof(long);

    public long this[int place] => values[place];

    internal sealed class DateBuilder : Builder
    {
        private readonly List<long> _values = [];

        public override void Add(MessageRef message, MessageContent? content) => _values.Add(KeyTexts.SentDate(message, content?.Envelope ?? EnvelopeData.None));

        public override void Add(KeyColumn known, int place) => _values.Add(((DateKeys)known)[place]);

        public override KeyColumn Finish() => new DateKeys([.. _values]);
    }
}

/// <summary>Octets of texts as a collation orders them, each text once.</summary>
/// <param name="octets">Of all texts.</param>
/// <param name="ends">Where each of them ends.</param>
/// <param name="texts">Which of them a message has.</param>
/// <param name="replies">Of subjects: whether something was taken off that says reply or forward.</param>
internal sealed class TextKeys(byte[] octets, int[] ends, ushort[] texts, bool[] replies) : KeyColumn
{
    public override long Octets => octets.Length + (ends.Length * sizeof(int)) + (texts.Length * (sizeof(ushort) + sizeof(bool)));

    public KeyText this[int place]
    {
        get
        {
            int text = texts[place], start = text == 0 ? 0 : ends[text - 1];
            return new KeyText(octets, start, ends[text] - start);
        }
    }

    public bool IsReplyOrForward(int place) => replies[place];

    internal sealed class TextBuilder(KeyKind kind, Collation collation) : Builder
    {
        private readonly Dictionary<KeyText, ushort> _known = [];
        private readonly List<byte> _octets = [];
        private readonly List<int> _ends = [];
        private readonly List<ushort> _texts = [];
        private readonly List<bool> _replies = [];

        public override void Add(MessageRef message, MessageContent? content)
        {
            (string text, bool reply) = KeyTexts.Of(kind, content?.Envelope ?? EnvelopeData.None);
            byte[] key = collation.Key(text);
            Add(new KeyText(key, 0, key.Length), reply);
        }

        public override void Add(KeyColumn known, int place) => Add(((TextKeys)known)[place], ((TextKeys)known).IsReplyOrForward(place));

        public override KeyColumn Finish() => new TextKeys([.. _octets], [.. _ends], [.. _texts], [.. _replies]);

        private void Add(KeyText text, bool reply)
        {
            if (!_known.TryGetValue(text, out ushort number))
            {
                _known.Add(text, number = checked((ushort)_ends.Count));
                _octets.AddRange(text.Span);
                _ends.Add(_octets.Count);
            }
            _texts.Add(number);
            _replies.Add(reply);
        }
    }
}

/// <summary>Octets that are compared; a part of a column's.</summary>
internal readonly struct KeyText(byte[] octets, int start, int length) : IEquatable<KeyText>
{
    public ReadOnlySpan<byte> Span => octets.AsSpan(start, length);

    public bool IsEmpty => length == 0;

    /// <summary>A number that orders as the first eight octets do.</summary>
    public ulong Leading
    {
        get
        {
            if (length >= sizeof(ulong))
                return BinaryPrimitives.ReadUInt64BigEndian(Span);
            Span<byte> padded = stackalloc byte[sizeof(ulong)];
            padded.Clear();
            Span.CopyTo(padded);
            return BinaryPrimitives.ReadUInt64BigEndian(padded);
        }
    }

    public bool Equals(KeyText other) => Span.SequenceEqual(other.Span);

    public override bool Equals(object? other) => other is KeyText text && Equals(text);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(Span);
        return hash.ToHashCode();
    }
}

/// <summary>
/// What a message is called, and what it says came before it (RFC 5256 §4), each identifier as the first 128 bits of its SHA-256: no two that anybody finds have the same, and they
/// take less memory than the texts.
/// </summary>
/// <param name="ids">0: it has none.</param>
/// <param name="references">Of all messages, each from the oldest to its parent.</param>
/// <param name="ends">Where each message's end.</param>
internal sealed class LinkKeys(UInt128[] ids, UInt128[] references, int[] ends) : KeyColumn
{
    public override long Octets => ((ids.Length + references.Length) * 16) + (ends.Length * sizeof(int));

    public UInt128 this[int place] => ids[place];

    public ReadOnlySpan<UInt128> References(int place)
    {
        int start = place == 0 ? 0 : ends[place - 1];
        return references.AsSpan(start, ends[place] - start);
    }

    internal sealed class LinkBuilder : Builder
    {
        private readonly List<UInt128> _ids = [];
        private readonly List<UInt128> _references = [];
        private readonly List<int> _ends = [];

        public override void Add(MessageRef message, MessageContent? content)
        {
            EnvelopeData envelope = content?.Envelope ?? EnvelopeData.None;
            _ids.Add(KeyTexts.IdOf(envelope) is { } id ? Number(id) : 0);
            foreach (string reference in KeyTexts.ReferencesOf(envelope, content))
                _references.Add(Number(reference));
            _ends.Add(_references.Count);
        }

        public override void Add(KeyColumn known, int place)
        {
            var links = (LinkKeys)known;
            _ids.Add(links[place]);
            _references.AddRange(links.References(place));
            _ends.Add(_references.Count);
        }

        public override KeyColumn Finish() => new LinkKeys([.. _ids], [.. _references], [.. _ends]);

        private static UInt128 Number(string id)
        {
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            // Identifiers are read as one character an octet: nothing is lost.
            SHA256.HashData(MemoryMarshal.AsBytes(id.AsSpan()), hash);
            return BinaryPrimitives.ReadUInt128BigEndian(hash);
        }
    }
}
