using System.Text;

namespace MailCluster.Sieve.Language;

/// <summary>Takes a script apart (RFC 5228 §8.1). Line ends may be a bare LF; whatever is no token throws <see cref="SieveSyntaxException"/>.</summary>
internal sealed class Lexer(string script)
{
    private int _at;
    private int _line = 1;
    private int _lineStart;

    private Place Here => new(_line, _at - _lineStart + 1);

    public Token Next()
    {
        SkipBlanks();
        Place place = Here;
        if (_at == script.Length)
            return new Token(TokenKind.End, "", 0, place);
        char c = script[_at];
        if (c is '(' or ')' or '[' or ']' or '{' or '}' or ',' or ';')
        {
            _at++;
            return new Token(TokenKind.Sign, c.ToString(), 0, place);
        }
        if (c == '"')
            return new Token(TokenKind.String, Quoted(), 0, place);
        if (c == ':')
        {
            _at++;
            return IsLetter(Peek()) ? new Token(TokenKind.Tag, Word(), 0, place) : throw At(place, "a name must follow ':'");
        }
        if (char.IsAsciiDigit(c))
            return Number(place);
        if (!IsLetter(c))
            throw At(place, char.IsControl(c) ? "a control character" : $"'{c}' is nothing that Sieve knows");
        string word = Word();
        if (Peek() == ':' && word.Equals("text", StringComparison.OrdinalIgnoreCase))
        {
            _at++;
            return new Token(TokenKind.String, MultiLine(place), 0, place);
        }
        return new Token(TokenKind.Identifier, word, 0, place);
    }

    private char Peek() => _at < script.Length ? script[_at] : '\0';

    private void SkipBlanks()
    {
        while (_at < script.Length)
        {
            switch (script[_at])
            {
                case ' ' or '\t' or '\r':
                    _at++;
                    break;
                case '\n':
                    NewLine();
                    break;
                case '#':
                    while (_at < script.Length && script[_at] != '\n')
                        _at++;
                    break;
                case '/' when _at + 1 < script.Length && script[_at + 1] == '*':
                    SkipComment();
                    break;
                default:
                    return;
            }
        }
    }

    private void SkipComment()
    {
        Place place = Here;
        for (_at += 2; _at < script.Length;)
        {
            if (script[_at] == '*' && _at + 1 < script.Length && script[_at + 1] == '/')
            {
                _at += 2;
                return;
            }
            if (script[_at] == '\n')
                NewLine();
            else
                _at++;
        }
        throw At(place, "the comment does not end");
    }

    private void NewLine()
    {
        _at++;
        _line++;
        _lineStart = _at;
    }

    private string Word()
    {
        int start = _at;
        while (IsLetter(Peek()) || char.IsAsciiDigit(Peek()))
            _at++;
        return script[start.._at];
    }

    private Token Number(Place place)
    {
        int start = _at;
        long number = 0;
        while (char.IsAsciiDigit(Peek()))
        {
            number = (number * 10) + (script[_at++] - '0');
            if (number > uint.MaxValue)
                throw At(place, "the number is too large");
        }
        int shift = Peek() switch
        {
            'K' or 'k' => 10,
            'M' or 'm' => 20,
            'G' or 'g' => 30,
            _ => 0,
        };
        if (shift > 0)
            _at++;
        if (IsLetter(Peek()))
            throw At(place, "a number ends with K, M, G or nothing");
        return new Token(TokenKind.Number, script[start.._at], number << shift, place);
    }

    private string Quoted()
    {
        Place place = Here;
        var text = new StringBuilder();
        for (_at++; _at < script.Length;)
        {
            char c = script[_at];
            if (c == '"')
            {
                _at++;
                return text.ToString();
            }
            if (c == '\\' && _at + 1 < script.Length)
                c = script[++_at];
            AppendTo(text, c);
        }
        throw At(place, "the string does not end");
    }

    /// <summary>"text:", lines, and a line that is a dot; a line that begins with a dot has one more (RFC 5228 §2.4.2).</summary>
    private string MultiLine(Place place)
    {
        while (Peek() is ' ' or '\t')
            _at++;
        if (Peek() == '#')
        {
            while (_at < script.Length && script[_at] != '\n')
                _at++;
        }
        if (Peek() == '\r')
            _at++;
        if (Peek() != '\n')
            throw At(place, "'text:' must be followed by the end of the line");
        NewLine();
        var text = new StringBuilder();
        while (_at < script.Length)
        {
            if (script[_at] == '.')
            {
                _at++;
                int end = _at;
                if (end < script.Length && script[end] == '\r')
                    end++;
                if (end == script.Length || script[end] == '\n')
                {
                    _at = end;
                    if (_at < script.Length)
                        NewLine();
                    return text.ToString();
                }
                // One dot of two is the line's own; a single one is forgiven (RFC 5228 §2.4.2).
                if (script[_at] != '.')
                    text.Append('.');
            }
            while (_at < script.Length)
            {
                char c = script[_at];
                AppendTo(text, c);
                if (c == '\n')
                    break;
            }
        }
        throw At(place, "the text does not end: a line with a dot alone is missing");
    }

    /// <summary>A line end is CRLF, however it was written.</summary>
    private void AppendTo(StringBuilder text, char c)
    {
        if (c == '\0')
            throw At(Here, "a control character");
        if (c == '\n')
        {
            if (text.Length == 0 || text[^1] != '\r')
                text.Append('\r');
            text.Append('\n');
            NewLine();
            return;
        }
        text.Append(c);
        _at++;
    }

    private static bool IsLetter(char c) => char.IsAsciiLetter(c) || c == '_';

    private static SieveSyntaxException At(Place place, string text) => new(new SieveProblem(place.Line, place.Column, text));
}
