using System.Text;
using System.Text.RegularExpressions;

namespace MailCluster.Tests.Unit.Imap.Languages;

/// <summary>A string literal of C# source, with what stands before it in its statement.</summary>
/// <param name="Text">As it is at run time; what is put in is {0}, {1}…</param>
internal sealed record SourceText(string Text, string Before)
{
    /// <summary>As the files of languages have it.</summary>
    public string Sentence => Text.TrimEnd('.');

    public bool IsWords => Text.Contains(' ') && Regex.IsMatch(Text, "[a-z]{2}");

    public bool IsWord => Regex.IsMatch(Text, "^[A-Z]?[a-z]+$");

    /// <summary>An argument of what sends a status response or a continuation request.</summary>
    public bool IsSent => Regex.IsMatch(Before, @"\b(Status|Ok|No|Bad|Bye|Continuation|Code)\([^;]*$");

    public bool IsLogged => Before.Contains("LoggerMessage(", StringComparison.Ordinal) || Before.Contains(".Abort(", StringComparison.Ordinal);

    public bool IsOfException => Regex.IsMatch(Before, @"new (?!ImapSyntaxException)\w+Exception\([^;]*$");

    /// <summary>Why something failed, or why a session is ended.</summary>
    public bool IsReason => IsWords && !IsLogged && !IsOfException && Regex.IsMatch(Before, @"\bMailErrorCode\.\w+,[^;)]*$|\b(Malformed|Kick)\([^;]*$");

    /// <summary>All of a file, comments left out.</summary>
    public static IEnumerable<SourceText> All(string source)
    {
        int statement = 0, at = 0;
        while (at < source.Length)
        {
            if (Starts("//"))
                at = Math.Max(at + 2, source.IndexOf('\n', at) is var end and >= 0 ? end : source.Length);
            else if (Starts("/*"))
                at = source.IndexOf("*/", at, StringComparison.Ordinal) + 2;
            else if (source[at] == '\'')
                at = source.IndexOf('\'', at + (source[at + 1] == '\\' ? 3 : 2)) + 1;
            else if (source[at] is ';' or '{' or '}')
                statement = ++at;
            else if (source[at] == '"' || (source[at] is '$' or '@' && Regex.Match(source[at..Math.Min(at + 6, source.Length)], "^[$@]+\"") is { Success: true }))
            {
                int start = at;
                (string text, at) = Literal(source, at);
                yield return new SourceText(text, source[statement..start]);
            }
            else
                at++;
        }

        bool Starts(string what) => source.AsSpan(at).StartsWith(what, StringComparison.Ordinal);
    }

    /// <summary>A literal's text, and where it ends.</summary>
    private static (string Text, int End) Literal(string source, int at)
    {
        int dollars = 0;
        bool verbatim = false;
        for (; source[at] != '"'; at++)
        {
            dollars += source[at] == '$' ? 1 : 0;
            verbatim |= source[at] == '@';
        }
        int quotes = 1;
        while (source[at + quotes] == '"')
            quotes++;
        if (quotes == 2 && !verbatim)
            return ("", at + 2);
        if (quotes >= 3)
        {
            int end = source.IndexOf(new string('"', quotes), at + quotes, StringComparison.Ordinal);
            return (source[(at + quotes)..end], end + quotes);
        }
        var text = new StringBuilder();
        int places = 0;
        for (at++; ; at++)
        {
            char c = source[at];
            if (c == '"' && verbatim && source[at + 1] == '"')
            {
                text.Append('"');
                at++;
            }
            else if (c == '"')
                return (text.ToString(), at + 1);
            else if (c == '\\' && !verbatim)
                (_, at) = (text.Append(Escaped(source, at + 1)), at + (source[at + 1] == 'u' ? 5 : 1));
            else if (c == '{' && dollars > 0 && source[at + 1] != '{')
            {
                text.Append('{').Append(places++).Append('}');
                at = Closing(source, at);
            }
            else
            {
                text.Append(c);
                if (dollars > 0 && c is '{' or '}')
                    at++;
            }
        }
    }

    private static char Escaped(string source, int at) => source[at] switch
    {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        '0' => '\0',
        'u' => (char)Convert.ToInt32(source[(at + 1)..(at + 5)], 16),
        var c => c,
    };

    /// <summary>The brace that closes one.</summary>
    private static int Closing(string source, int at)
    {
        int depth = 0;
        for (; ; at++)
        {
            if (source[at] == '"')
                at = Literal(source, at).End - 1;
            else if (source[at] == '\'')
                at = source.IndexOf('\'', at + (source[at + 1] == '\\' ? 3 : 2));
            else if (source[at] == '{')
                depth++;
            else if (source[at] == '}' && --depth == 0)
                return at;
        }
    }
}
