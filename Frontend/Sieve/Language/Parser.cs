namespace MailCluster.Sieve.Language;

/// <summary>The generic grammar (RFC 5228 §8.2): whatever the commands are called.</summary>
internal sealed class Parser
{
    private readonly Lexer _lexer;
    private readonly int _nesting;
    private Token _token;
    private int _depth;

    private Parser(string script, int nesting)
    {
        _lexer = new Lexer(script);
        _nesting = nesting;
        _token = _lexer.Next();
    }

    /// <exception cref="SieveSyntaxException">The script is no Sieve.</exception>
    public static IReadOnlyList<CommandNode> Parse(string script, int nesting)
    {
        var parser = new Parser(script, nesting);
        IReadOnlyList<CommandNode> commands = parser.Commands();
        return parser._token.Kind == TokenKind.End ? commands : throw parser.Unexpected("a command");
    }

    private List<CommandNode> Commands()
    {
        var commands = new List<CommandNode>();
        while (_token.Kind == TokenKind.Identifier)
            commands.Add(Command());
        return commands;
    }

    private CommandNode Command()
    {
        Node head = Head();
        if (_token.Is(';'))
        {
            Advance();
            return new CommandNode(head.Place, head.Name, head.Arguments, head.Tests, null);
        }
        if (!_token.Is('{'))
            throw Unexpected("';' or '{'");
        Enter();
        Advance();
        List<CommandNode> block = Commands();
        if (!_token.Is('}'))
            throw Unexpected("a command or '}'");
        Advance();
        _depth--;
        return new CommandNode(head.Place, head.Name, head.Arguments, head.Tests, block);
    }

    /// <summary>A name with its arguments and tests.</summary>
    private Node Head()
    {
        Token name = _token;
        Advance();
        var arguments = new List<Argument>();
        while (Argument() is { } argument)
            arguments.Add(argument);
        var tests = new List<Node>();
        if (_token.Kind == TokenKind.Identifier)
        {
            Enter();
            tests.Add(Head());
            _depth--;
        }
        else if (_token.Is('('))
        {
            Enter();
            do
            {
                Advance();
                if (_token.Kind != TokenKind.Identifier)
                    throw Unexpected("a test");
                tests.Add(Head());
            }
            while (_token.Is(','));
            if (!_token.Is(')'))
                throw Unexpected("',' or ')'");
            Advance();
            _depth--;
        }
        return new Node(name.Place, name.Text.ToLowerInvariant(), arguments, tests);
    }

    private Argument? Argument()
    {
        Token token = _token;
        switch (token.Kind)
        {
            case TokenKind.Tag:
                Advance();
                return new TagArgument(token.Place, token.Text.ToLowerInvariant());
            case TokenKind.Number:
                Advance();
                return new NumberArgument(token.Place, token.Number);
            case TokenKind.String:
                Advance();
                return new StringArgument(token.Place, [token.Text], false);
            case TokenKind.Sign when token.Is('['):
                return List(token.Place);
            default:
                return null;
        }
    }

    private StringArgument List(Place place)
    {
        var strings = new List<string>();
        do
        {
            Advance();
            if (_token.Kind != TokenKind.String)
                throw Unexpected("a string");
            strings.Add(_token.Text);
            Advance();
        }
        while (_token.Is(','));
        if (!_token.Is(']'))
            throw Unexpected("',' or ']'");
        Advance();
        return new StringArgument(place, strings, true);
    }

    private void Enter()
    {
        if (++_depth > _nesting)
            throw At(_token.Place, $"more than {_nesting} levels");
    }

    private void Advance() => _token = _lexer.Next();

    private SieveSyntaxException Unexpected(string wanted) => At(_token.Place, $"{wanted} is expected here, not {_token}");

    private static SieveSyntaxException At(Place place, string text) => new(new SieveProblem(place.Line, place.Column, text));
}
