using System.Collections.Concurrent;
using System.Text;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Client;

/// <summary>What one FETCH (RFC 9051 §7.5.2) or UIDFETCH (RFC 9586 §3.3) response says. Null: not told.</summary>
/// <param name="Mark">Of the header field X-Check; "" where the message has none.</param>
/// <param name="Body">BODY[].</param>
/// <param name="Annotations">Entries with their attributes and values; those of which only the names are told, unasked, are left out.</param>
internal sealed record FetchItems(uint? Uid, FlagSet? Flags, long? ModSeq, string? Mark, byte[]? Body, IReadOnlyList<(string Entry, string Attribute, string? Value)>? Annotations = null)
{
    // A history has millions of them, and few that differ.
    private static readonly ConcurrentDictionary<string, FlagSet> _flagSets = [];

    /// <summary>What FETCH asks for to see a message's mark.</summary>
    public const string MarkItem = "BODY.PEEK[HEADER.FIELDS (X-Check)]";

    /// <exception cref="FormatException">It is no list of items and values.</exception>
    public static FetchItems Read(Response response)
    {
        if (response.Arguments is not [ListToken { Items: var items }] || items.Count % 2 != 0)
            throw new FormatException("FETCH without a list of items and values");
        var read = new FetchItems(response.Name == "UIDFETCH" ? response.Number : null, null, null, null, null);
        for (int i = 0; i < items.Count; i += 2)
            read = read.With(items[i].Text?.ToUpperInvariant() ?? throw new FormatException("FETCH with an item without name"), items[i + 1]);
        return read;
    }

    private FetchItems With(string item, Token value) => item switch
    {
        "UID" => this with { Uid = value.Uid ?? throw new FormatException("FETCH with a UID that is no number") },
        "FLAGS" => this with { Flags = FlagsOf(value) },
        "MODSEQ" => this with { ModSeq = value.Items is [{ Number: { } modSeq }] ? modSeq : throw new FormatException("FETCH with a MODSEQ that is no number in parentheses") },
        "BODY[]" => this with { Body = value is LiteralToken literal ? literal.Octets : Encoding.Latin1.GetBytes(value.Text ?? "") },
        "ANNOTATION" => value.Items.Any(static i => i is ListToken) ? this with { Annotations = AnnotationsOf(value.Items) } : this,
        _ when item.StartsWith("BODY[HEADER.FIELDS", StringComparison.Ordinal) => this with { Mark = MarkIn(value.Text ?? "") },
        _ => this,
    };

    /// <summary>The value of X-Check in a header; "" where there is none.</summary>
    public static string MarkIn(string header)
    {
        const string Field = "X-Check: ";
        int at = header.StartsWith(Field, StringComparison.OrdinalIgnoreCase) ? 0 : header.IndexOf("\r\n" + Field, StringComparison.OrdinalIgnoreCase) + 2;
        if (at == 1)
            return "";
        int end = header.IndexOf('\r', at);
        return string.Intern(header[(at + Field.Length)..(end < 0 ? header.Length : end)]);
    }

    private static List<(string Entry, string Attribute, string? Value)> AnnotationsOf(IReadOnlyList<Token> entries)
    {
        var told = new List<(string, string, string?)>();
        for (int i = 0; i < entries.Count; i += 2)
        {
            if (entries[i].Text is not { } entry || i + 1 == entries.Count || entries[i + 1] is not ListToken { Items: var values } || values.Count % 2 != 0)
                throw new FormatException("ANNOTATION without a list of entries and their attributes");
            for (int j = 0; j < values.Count; j += 2)
                told.Add((entry, values[j].Text?.ToLowerInvariant() ?? throw new FormatException("ANNOTATION with an attribute without name"), values[j + 1].Text));
        }
        return told;
    }

    private static FlagSet FlagsOf(Token value)
    {
        if (value is not ListToken || !value.Items.All(static f => f is AtomToken))
            throw new FormatException("FLAGS without a list of atoms");
        return _flagSets.GetOrAdd(string.Join(' ', value.Items.Select(static f => f.Text)), static names => new FlagSet(names.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
    }
}
