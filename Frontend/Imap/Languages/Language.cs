using System.Collections.Frozen;
using System.Text.Json;

namespace MailCluster.Imap.Languages;

/// <summary>
/// A language that texts for people are in (RFC 5255 §3). The texts stand where they are sent, in English, which is what "i-default" is (RFC 2277 §4.5) and "en"; another language is a file
/// beside this one, from each English text to its own. A text with parts that are put in when it is sent stands there with {0}, {1}… in their places. Never fails: what a file lacks is sent in
/// English.
/// </summary>
public sealed class Language
{
    /// <summary>What a session speaks until LANGUAGE says otherwise (RFC 5255 §3.1).</summary>
    public static readonly Language Default = new("i-default");

    /// <summary>All there are, the default first.</summary>
    public static IReadOnlyList<Language> All { get; } = [Default, new("en"), new("de"), new("fr"), new("es"), new("it"), new("nl"), new("pt")];

    private readonly Lazy<Texts> _texts;

    private Language(string tag) => (Tag, _texts) = (tag, new Lazy<Texts>(() => Read(tag)));

    /// <summary>As the IANA registry has it (RFC 5646).</summary>
    public string Tag { get; }

    /// <summary>The language of a tag, whatever its case; null for one that is not there.</summary>
    public static Language? Find(ReadOnlySpan<char> tag)
    {
        foreach (Language language in All)
        {
            if (tag.Equals(language.Tag, StringComparison.OrdinalIgnoreCase))
                return language;
        }
        return null;
    }

    /// <summary>A text in this language.</summary>
    /// <param name="text">In English, as a whole.</param>
    public string Of(string text) => _texts.Value.Of(text);

    /// <summary>As <see cref="Of"/> for a text that has no parts put in; null where this language has no word of its own for it.</summary>
    internal string? Exactly(string text) => _texts.Value.Whole.GetValueOrDefault(text);

    /// <summary>What the file has, as it is written.</summary>
    internal static IReadOnlyDictionary<string, string> Entries(string tag)
    {
        using Stream? file = typeof(Language).Assembly.GetManifestResourceStream($"Languages/{tag}.json");
        return file is null ? new Dictionary<string, string>() : JsonSerializer.Deserialize<Dictionary<string, string>>(file)!;
    }

    private static Texts Read(string tag)
    {
        IReadOnlyDictionary<string, string> entries = Entries(tag);
        return new Texts(
            entries.Where(static e => !e.Key.Contains("{0}", StringComparison.Ordinal)).ToFrozenDictionary(static e => e.Key, static e => e.Value),
            [.. entries.Where(static e => e.Key.Contains("{0}", StringComparison.Ordinal)).Select(static e => new TextPattern(e.Key, e.Value)).OrderByDescending(static p => p.Length)]);
    }

    /// <param name="Patterns">The longest first: of two that fit it says more.</param>
    private sealed record Texts(FrozenDictionary<string, string> Whole, TextPattern[] Patterns)
    {
        public string Of(string text)
        {
            if (Whole.TryGetValue(text, out string? whole))
                return whole;
            // The files have no full stops at the end; texts may.
            if (text is [.. { Length: > 0 } sentence, '.'])
                return Of(sentence) is var translated && translated != sentence ? translated + "." : text;
            foreach (TextPattern pattern in Patterns)
            {
                // What is put in may be a text itself: "Expected {0}", "a number".
                if (pattern.Apply(text, part => Whole.GetValueOrDefault(part, part)) is { } found)
                    return found;
            }
            return text;
        }
    }
}
