namespace MailCluster.Consistency.Client;

/// <summary>Makes a <see cref="Response"/> of a line (RFC 9051 §9 "response"); strict, for what is accepted here is what the product is allowed to say.</summary>
internal ref struct ResponseParser
{
    private readonly string _text;
    private readonly IReadOnlyList<byte[]> _literals;
    private int _at;
    private int _literal;

    private ResponseParser(ReplyLine line)
    {
        _text = line.Text;
        _literals = line.Literals;
    }

    /// <exception cref="FormatException">It is no IMAP; the message says what was expected and where.</exception>
    public static Response Parse(ReplyLine line)
    {
        var parser = new ResponseParser(line);
        return parser.Response();
    }

    private Response Response()
    {
        string tag = Word();
        if (tag == "+")
            return new Response(tag, null, "", [], null, Skip(' ') ? Rest() : "");
        Expect(' ');
        string name = Word().ToUpperInvariant();
        uint? number = null;
        if (tag == "*" && uint.TryParse(name, out uint n))
        {
            number = n;
            Expect(' ');
            name = Word().ToUpperInvariant();
        }
        if (number is null && name is "OK" or "NO" or "BAD" or "BYE" or "PREAUTH")
            return Status(tag, name);
        if (tag != "*")
            throw Wrong("OK, NO or BAD");
        var arguments = new List<Token>();
        while (Skip(' ') && !AtEnd)
            arguments.Add(Value(inCode: false));
        if (!AtEnd)
            throw Wrong("a space or the end");
        return new Response(tag, number, name, arguments, null, "");
    }

    private Response Status(string tag, string name)
    {
        ResponseCode? code = null;
        Expect(' ');
        if (Skip('['))
        {
            int start = _at;
            while (!AtEnd && _text[_at] is not (' ' or ']'))
                _at++;
            string codeName = _text[start.._at].ToUpperInvariant();
            var arguments = new List<Token>();
            while (Skip(' '))
                arguments.Add(Value(inCode: true));
            Expect(']');
            Skip(' ');
            code = new ResponseCode(codeName, arguments);
        }
        return new Response(tag, null, name, [], code, Rest());
    }

    private Token Value(bool inCode)
    {
        if (AtEnd)
            throw Wrong("a value");
        switch (_text[_at])
        {
            case '(':
                return List(inCode);
            case '"':
                return Quoted();
            case '{':
                return Literal();
            case '~' when _at + 1 < _text.Length && _text[_at + 1] == '{':
                _at++;
                return Literal();
            default:
                string atom = Atom(inCode);
                return atom.Equals("NIL", StringComparison.OrdinalIgnoreCase) ? Token.Nil : new AtomToken(atom);
        }
    }

    private ListToken List(bool inCode)
    {
        Expect('(');
        var items = new List<Token>();
        while (!Skip(')'))
        {
            // Bodies of multiparts follow one another without a space (RFC 9051 §9 body-type-mpart).
            if (items.Count > 0 && !Skip(' ') && !(items[^1] is ListToken && !AtEnd && _text[_at] == '('))
                throw Wrong("a space or ')'");
            items.Add(Value(inCode));
        }
        return new ListToken(items);
    }

    private StringToken Quoted()
    {
        var text = new System.Text.StringBuilder();
        for (_at++; !AtEnd && _text[_at] != '"'; _at++)
        {
            if (_text[_at] == '\\' && ++_at < _text.Length && _text[_at] is not ('"' or '\\'))
                throw Wrong("'\"' or '\\' after '\\'");
            if (AtEnd || _text[_at] is '\r' or '\n' or '\0')
                throw Wrong("the end of a quoted string");
            text.Append(_text[_at]);
        }
        Expect('"');
        return new StringToken(text.ToString());
    }

    private LiteralToken Literal()
    {
        int end = _text.IndexOf("}\r\n", _at, StringComparison.Ordinal);
        if (end < 0 || _literal == _literals.Count)
            throw Wrong("a literal");
        _at = end + 3;
        return new LiteralToken(_literals[_literal++]);
    }

    // With what may stand in brackets after BODY and BINARY (RFC 9051 §9 section).
    private string Atom(bool inCode)
    {
        int start = _at;
        int depth = 0;
        for (; !AtEnd; _at++)
        {
            char c = _text[_at];
            if (c == '[' && !inCode)
                depth++;
            else if (c == ']' && (inCode || --depth < 0))
                break;
            else if (depth == 0 && c is ' ' or '(' or ')' or '"' or '{')
                break;
            else if (c < ' ')
                throw Wrong("no control character");
        }
        if (_at == start || depth > 0)
            throw Wrong("an atom");
        return _text[start.._at];
    }

    private string Word()
    {
        int start = _at;
        while (!AtEnd && _text[_at] > ' ')
            _at++;
        return _at > start ? _text[start.._at] : throw Wrong("a word");
    }

    private string Rest()
    {
        string rest = _text[_at..];
        _at = _text.Length;
        return rest;
    }

    private readonly bool AtEnd => _at >= _text.Length;

    private bool Skip(char c)
    {
        if (AtEnd || _text[_at] != c)
            return false;
        _at++;
        return true;
    }

    private void Expect(char c)
    {
        if (!Skip(c))
            throw Wrong($"'{c}'");
    }

    private readonly FormatException Wrong(string expected) =>
        new($"no IMAP, {expected} expected at {_at}: {(_text.Length > 300 ? _text[..300] + "…" : _text)}");
}
