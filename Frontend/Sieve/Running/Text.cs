using System.Globalization;
using System.Text;

namespace MailCluster.Sieve.Running;

/// <summary>A string of a script, with variables to be put in (RFC 5229 §3) where it has any.</summary>
internal sealed class Text
{
    private readonly List<Part> _parts;

    private Text(List<Part> parts) => _parts = parts;

    /// <summary>The string itself where nothing is put in.</summary>
    public string? Constant => _parts.Count == 0 ? "" : _parts is [{ Name: null } only] ? only.Literal : null;

    public static Text Of(string constant) => new([new Part(constant, null, 0)]);

    /// <summary>Takes "${name}" and "${1}" out of a string; what is no reference stays as it is.</summary>
    /// <exception cref="FormatException">A name has a namespace that is not known.</exception>
    public static Text Compile(string source, Func<string, bool> isNamespace)
    {
        var parts = new List<Part>();
        int start = 0;
        for (int at = source.IndexOf("${", StringComparison.Ordinal); at >= 0; at = source.IndexOf("${", at + 1, StringComparison.Ordinal))
        {
            int end = at + 2;
            while (end < source.Length && (char.IsAsciiLetterOrDigit(source[end]) || source[end] is '_' or '.'))
                end++;
            if (end == source.Length || source[end] != '}')
                continue;
            string name = source[(at + 2)..end].ToLowerInvariant();
            bool number = name.Length > 0 && name.All(char.IsAsciiDigit);
            if (!number && !IsVariable(name))
                continue;
            if (!number && name.LastIndexOf('.') is > 0 and int dot && !isNamespace(name[..dot]))
                throw new FormatException($"there are no variables '{name[..dot]}.'");
            if (at > start)
                parts.Add(new Part(source[start..at], null, 0));
            parts.Add(new Part("", name, number ? int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int index) ? index : int.MaxValue : -1));
            start = end + 1;
            at = end;
        }
        if (start < source.Length)
            parts.Add(new Part(source[start..], null, 0));
        return new Text(parts);
    }

    /// <summary>identifier *("." identifier) (RFC 5229 §3).</summary>
    public static bool IsVariable(string name) => name.Length > 0 && name.Split('.').All(IsIdentifier);

    public static bool IsIdentifier(string name) =>
        name.Length > 0 && (char.IsAsciiLetter(name[0]) || name[0] == '_') && name.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_');

    public string Expand(Run run)
    {
        if (Constant is { } constant)
            return constant;
        var text = new StringBuilder();
        foreach (Part part in _parts)
        {
            text.Append(part.Name is null ? part.Literal : part.Index >= 0 ? run.Scope.Match(part.Index) : run.Scope.Get(part.Name));
            if (text.Length > run.Limits.TextLength)
                throw new SieveFailure($"a text is longer than {run.Limits.TextLength} characters");
        }
        run.Step(text.Length);
        return text.ToString();
    }

    private sealed record Part(string Literal, string? Name, int Index);
}
