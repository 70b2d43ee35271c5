using System.Globalization;
using System.Numerics;
using System.Text;

namespace MailCluster.Sieve.Matching;

/// <summary>A collation (RFC 4790): how two texts are equal, in one another, or in order.</summary>
internal abstract class Comparator
{
    /// <summary>Octet by octet of UTF-8.</summary>
    public static readonly Comparator Octet = new OctetComparator();

    /// <summary>Letters of ASCII without regard to case; what :contains and the rest compare with unless they are told.</summary>
    public static readonly Comparator AsciiCasemap = new CasemapComparator();

    /// <summary>The digits that a text begins with, as a number; a text without them is infinitely large.</summary>
    public static readonly Comparator AsciiNumeric = new NumericComparator();

    public abstract string Name { get; }

    /// <summary>Whether it knows what is in one another (:contains, :matches): RFC 4790 §4.2.</summary>
    public virtual bool HasSubstrings => true;

    /// <summary>A character as it is compared.</summary>
    public virtual int Fold(int rune) => rune;

    public abstract bool AreEqual(string a, string b);

    public virtual bool Contains(string text, string part) => text.Contains(part, StringComparison.Ordinal);

    /// <summary>Negative: <paramref name="a"/> comes first.</summary>
    public abstract int Compare(string a, string b);

    public static Comparator? Find(string name) => name switch
    {
        "i;octet" => Octet,
        "i;ascii-casemap" => AsciiCasemap,
        "i;ascii-numeric" => AsciiNumeric,
        _ => null,
    };

    private sealed class OctetComparator : Comparator
    {
        public override string Name => "i;octet";

        public override bool AreEqual(string a, string b) => string.Equals(a, b, StringComparison.Ordinal);

        public override int Compare(string a, string b) => Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));
    }

    private sealed class CasemapComparator : Comparator
    {
        public override string Name => "i;ascii-casemap";

        public override int Fold(int rune) => rune is >= 'a' and <= 'z' ? rune - 32 : rune;

        public override bool AreEqual(string a, string b) => a.Length == b.Length && string.Equals(Map(a), Map(b), StringComparison.Ordinal);

        public override bool Contains(string text, string part) => Map(text).Contains(Map(part), StringComparison.Ordinal);

        public override int Compare(string a, string b) => Octet.Compare(Map(a), Map(b));

        private static string Map(string text) => text.AsSpan().IndexOfAnyInRange('a', 'z') < 0 ? text : string.Create(text.Length, text, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
                span[i] = source[i] is >= 'a' and <= 'z' ? (char)(source[i] - 32) : source[i];
        });
    }

    private sealed class NumericComparator : Comparator
    {
        public override string Name => "i;ascii-numeric";

        public override bool HasSubstrings => false;

        public override bool AreEqual(string a, string b) => Compare(a, b) == 0;

        public override int Compare(string a, string b) => (Number(a), Number(b)) switch
        {
            (null, null) => 0,
            (null, _) => 1,
            (_, null) => -1,
            ({ } x, { } y) => x.CompareTo(y),
        };

        private static BigInteger? Number(string text)
        {
            int digits = 0;
            // More than these no sender means, and a conversion's time grows with their square.
            while (digits < text.Length && digits < 256 && char.IsAsciiDigit(text[digits]))
                digits++;
            return digits == 0 ? null : BigInteger.Parse(text.AsSpan(0, digits), NumberStyles.None, CultureInfo.InvariantCulture);
        }
    }
}
