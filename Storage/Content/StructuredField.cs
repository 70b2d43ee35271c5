using MailCluster.Contracts.Content;

namespace MailCluster.Storage.Content;

/// <summary>
/// Reads the structured MIME fields (RFC 2045 §5.1, RFC 2183, RFC 3282) from raw unfolded bytes, keeping them as written: comments and
/// quoting are removed, RFC 2231 pieces are not joined. Never fails; what cannot be read is left out.
/// </summary>
internal ref struct StructuredField
{
    private const int MaxParameters = 1_000;

    private readonly ReadOnlySpan<byte> text;
    private int at;

    private StructuredField(ReadOnlySpan<byte> text) => this.text = text;

    /// <summary>False when there is no "type/subtype"; the parameters are read all the same.</summary>
    public static bool TryContentType(ReadOnlySpan<byte> value, out RawText type, out RawText subtype, out IReadOnlyList<BodyParameter> parameters)
    {
        var field = new StructuredField(value);
        type = new RawText(field.Token());
        field.SkipBlanks();
        subtype = default;
        if (field.at < value.Length && value[field.at] == '/')
        {
            field.at++;
            subtype = new RawText(field.Token());
        }
        parameters = field.Parameters();
        return !type.IsEmpty && !subtype.IsAbsent && !subtype.IsEmpty;
    }

    public static RawText Disposition(ReadOnlySpan<byte> value, out IReadOnlyList<BodyParameter> parameters)
    {
        var field = new StructuredField(value);
        var disposition = new RawText(field.Token());
        parameters = field.Parameters();
        return disposition.IsEmpty ? default : disposition;
    }

    /// <summary>One token, such as Content-Transfer-Encoding's; absent when there is none.</summary>
    public static RawText Single(ReadOnlySpan<byte> value)
    {
        var token = new StructuredField(value).Token();
        return token.Length == 0 ? default : new RawText(token);
    }

    public static IReadOnlyList<RawText> Languages(ReadOnlySpan<byte> value)
    {
        var field = new StructuredField(value);
        var languages = new List<RawText>();
        while (field.at < value.Length && languages.Count < MaxParameters)
        {
            var language = field.Token();
            if (language.Length > 0)
                languages.Add(new RawText(language));
            else
                field.at++;
        }
        return languages;
    }

    private List<BodyParameter> Parameters()
    {
        var parameters = new List<BodyParameter>();
        while (parameters.Count < MaxParameters)
        {
            // Whatever stands between two parameters, such as a stray word, is skipped.
            while (at < text.Length && text[at] != ';')
            {
                if (text[at] == '"')
                    Quoted();
                else if (text[at] == '(')
                    SkipComment();
                else
                    at++;
            }
            if (at >= text.Length)
                break;
            at++;
            var name = Token();
            SkipBlanks();
            if (name.Length == 0 || at >= text.Length || text[at] != '=')
                continue;
            at++;
            SkipBlanks();
            var value = at < text.Length && text[at] == '"' ? Quoted() : Unquoted();
            parameters.Add(new BodyParameter(new RawText(name), new RawText(value)));
        }
        return parameters;
    }

    private byte[] Token()
    {
        SkipBlanks();
        var start = at;
        while (at < text.Length && text[at] > ' ' && !"()<>@,;:\\\"/[]?="u8.Contains(text[at]))
            at++;
        return text[start..at].ToArray();
    }

    /// <summary>Up to the semicolon: many mailers forget to quote a value with blanks or special characters. A comment after it is no part of it.</summary>
    private byte[] Unquoted()
    {
        var start = at;
        while (at < text.Length && text[at] != ';' && !(text[at] == '(' && text[at - 1] is (byte)' ' or (byte)'\t'))
            at++;
        return text[start..at].Trim(" \t\r\n"u8).ToArray();
    }

    private byte[] Quoted()
    {
        var value = new List<byte>();
        at++;
        while (at < text.Length && text[at] != '"')
        {
            if (text[at] == '\\' && at + 1 < text.Length)
                at++;
            value.Add(text[at++]);
        }
        at++;
        return value.ToArray();
    }

    private void SkipBlanks()
    {
        while (at < text.Length)
        {
            if (text[at] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n')
                at++;
            else if (text[at] == '(')
                SkipComment();
            else
                return;
        }
    }

    private void SkipComment()
    {
        var depth = 0;
        while (at < text.Length)
        {
            var c = text[at++];
            if (c == '\\')
                at++;
            else if (c == '(')
                depth++;
            else if (c == ')' && --depth == 0)
                return;
        }
    }
}
