using System.Buffers;
using System.Text;

namespace MailCluster.Imap.Search;

/// <summary>
/// A collation (RFC 4790) that SEARCH, SORT and THREAD can compare texts with (RFC 5255 §4): a map of texts. Two texts are equal, one is in another, or comes before it, where their maps
/// are or do, octet by octet of UTF-8. None of them takes two texts for the same that i;unicode-casemap tells apart, so that an index of what that finds is one for all. i;ascii-numeric
/// is not among them: it has no substring operation, which SEARCH needs (§4.4).
/// </summary>
public abstract class Collation
{
    private Collation(string name) => Name = name;

    /// <summary>RFC 5051.</summary>
    public static Collation Unicode { get; } = new UnicodeCollation();

    /// <summary>RFC 4790 §9.2.</summary>
    public static Collation AsciiCasemap { get; } = new AsciiCollation();

    /// <summary>RFC 4790 §9.3.</summary>
    public static Collation Octet { get; } = new OctetCollation();

    /// <summary>All that there are, those of the widest use first.</summary>
    public static IReadOnlyList<Collation> All { get; } = [Unicode, AsciiCasemap, Octet];

    /// <summary>Its collation-id.</summary>
    public string Name { get; }

    /// <summary>How what <see cref="Append"/> has left is compared.</summary>
    internal virtual StringComparison Rest => StringComparison.Ordinal;

    /// <summary>The map of a text; the text itself where nothing changes.</summary>
    public abstract string Map(string text);

    /// <summary>True where <paramref name="value"/> is in the text.</summary>
    public abstract bool Contains(string text, string value);

    /// <summary>The octets that are compared for order.</summary>
    public byte[] Key(string text) => text.Length == 0 ? [] : Encoding.UTF8.GetBytes(Map(text));

    /// <summary><see cref="Append"/> would change nothing, and the text may begin and end within a character.</summary>
    internal abstract bool IsPlain(ReadOnlySpan<char> text);

    /// <summary>Appends the map, but for what <see cref="Rest"/> takes for the same.</summary>
    /// <param name="text">Whole characters: no half of one at either end.</param>
    internal abstract void Append(ReadOnlySpan<char> text, IBufferWriter<char> mapped);

    private sealed class UnicodeCollation() : Collation("i;unicode-casemap")
    {
        internal override StringComparison Rest => StringComparison.OrdinalIgnoreCase;

        public override string Map(string text) => UnicodeCasemap.Map(text);

        public override bool Contains(string text, string value) => UnicodeCasemap.Contains(text, value);

        internal override bool IsPlain(ReadOnlySpan<char> text) => Ascii.IsValid(text);

        internal override void Append(ReadOnlySpan<char> text, IBufferWriter<char> mapped) => UnicodeCasemap.Append(text, mapped);
    }

    /// <summary>Letters of ASCII in capitals, all else as it is.</summary>
    private sealed class AsciiCollation() : Collation("i;ascii-casemap")
    {
        public override string Map(string text) => IsPlain(text) ? text : string.Create(text.Length, text, static (mapped, text) => Capitals(text, mapped));

        public override bool Contains(string text, string value) => Map(text).Contains(Map(value), StringComparison.Ordinal);

        internal override bool IsPlain(ReadOnlySpan<char> text) => !text.ContainsAnyInRange('a', 'z');

        internal override void Append(ReadOnlySpan<char> text, IBufferWriter<char> mapped)
        {
            if (text.IsEmpty)
                return;
            Capitals(text, mapped.GetSpan(text.Length));
            mapped.Advance(text.Length);
        }

        private static void Capitals(ReadOnlySpan<char> text, Span<char> mapped)
        {
            for (int i = 0; i < text.Length; i++)
                mapped[i] = char.IsAsciiLetterLower(text[i]) ? (char)(text[i] - 32) : text[i];
        }
    }

    /// <summary>Texts as they are.</summary>
    private sealed class OctetCollation() : Collation("i;octet")
    {
        public override string Map(string text) => text;

        public override bool Contains(string text, string value) => text.Contains(value, StringComparison.Ordinal);

        internal override bool IsPlain(ReadOnlySpan<char> text) => true;

        internal override void Append(ReadOnlySpan<char> text, IBufferWriter<char> mapped) => mapped.Write(text);
    }
}
