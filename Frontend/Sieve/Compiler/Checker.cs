using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using MailCluster.Sieve.Language;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Compiler;

/// <summary>Makes statements of the generic syntax: knows what "require" has named, and what each command and test takes.</summary>
internal sealed partial class Checker(SieveLimits limits, bool outgoing)
{
    private readonly HashSet<string> _required = new(StringComparer.Ordinal);
    private bool _requireIsOver;

    public SieveLimits Limits => limits;

    /// <summary>What is odd but no error.</summary>
    public List<SieveProblem> Warnings { get; } = [];

    public HashSet<IncludedScript> Includes { get; } = [];

    public IReadOnlySet<string> Required => _required;

    public bool Has(string extension) => _required.Contains(extension);

    public Block Block(IReadOnlyList<CommandNode> commands)
    {
        var statements = new List<Statement>(commands.Count);
        bool over = false;
        for (int i = 0; i < commands.Count; i++)
        {
            CommandNode command = commands[i];
            if (over)
            {
                Warnings.Add(new SieveProblem(command.Place.Line, command.Place.Column, $"'{command.Name}' and what follows it here is never reached"));
                over = false;
            }
            if (command.Name == "require")
            {
                Require(command);
                continue;
            }
            _requireIsOver = true;
            if (command.Name == "if")
            {
                statements.Add(Conditional(commands, ref i));
                continue;
            }
            if (command.Name is "elsif" or "else")
                throw At(command.Place, $"'{command.Name}' without an 'if' before it");
            if (!Grammar.Commands.TryGetValue(command.Name, out Rule<Statement>? rule))
                throw At(command.Place, $"there is no command '{command.Name}'");
            if (command.Block is not null)
                throw At(command.Place, $"'{command.Name}' has no block: it ends with ';'");
            Need(rule.Extension, command.Place, command.Name);
            if (rule.Outgoing && !outgoing)
                throw At(command.Place, $"'{command.Name}' is not available: this server sends no mail");
            var arguments = new Arguments(this, command);
            statements.Add(rule.Make(arguments));
            arguments.Done();
            over = command.Name is "stop" or "return";
        }
        return new Block(statements);
    }

    public Test Test(Node node)
    {
        if (!Grammar.Tests.TryGetValue(node.Name, out Rule<Test>? rule))
            throw At(node.Place, $"there is no test '{node.Name}'");
        Need(rule.Extension, node.Place, node.Name);
        var arguments = new Arguments(this, node);
        Test test = rule.Make(arguments);
        arguments.Done();
        return test;
    }

    /// <summary>A string of the script as it is meant: encoded characters decoded (RFC 5228 §2.4.2.4), variables to be put in.</summary>
    public Text TextOf(string text, Place place)
    {
        if (Has("encoded-character"))
            text = Decode(text, place);
        if (!Has("variables"))
            return Text.Of(text);
        try
        {
            return Text.Compile(text, name => name == "global" && Has("include"));
        }
        catch (FormatException e)
        {
            throw At(place, e.Message);
        }
    }

    public void Need(string? extension, Place place, string what)
    {
        if (extension is not null && !Has(extension))
            throw At(place, $"'{what}' needs: require \"{extension}\"");
    }

    public static SieveSyntaxException At(Place place, string text) => new(new SieveProblem(place.Line, place.Column, text));

    private void Require(CommandNode command)
    {
        if (_requireIsOver)
            throw At(command.Place, "'require' must come before all else");
        var arguments = new Arguments(this, command);
        arguments.Positional(1);
        foreach (string name in arguments.Plain())
        {
            if (!SieveExtensions.All.Contains(name))
                throw At(command.Place, $"the extension '{name}' is not known");
            if (!outgoing && SieveExtensions.Outgoing.Contains(name))
                throw At(command.Place, $"the extension '{name}' is not available: this server sends no mail");
            _required.Add(name);
            _required.UnionWith(SieveExtensions.Implied(name));
        }
        arguments.Done();
    }

    private If Conditional(IReadOnlyList<CommandNode> commands, ref int i)
    {
        var branches = new List<(Test? Test, Block Block)>();
        for (; ; i++)
        {
            CommandNode command = commands[i];
            if (command.Arguments.Count > 0 || command.Block is null || command.Tests.Count != (command.Name == "else" ? 0 : 1))
                throw At(command.Place, command.Name == "else" ? "'else' has a block and nothing else" : $"'{command.Name}' has one test and a block");
            branches.Add((command.Tests.Count == 0 ? null : Test(command.Tests[0]), Block(command.Block)));
            if (command.Name == "else" || i + 1 == commands.Count || commands[i + 1].Name is not ("elsif" or "else"))
                return new If(branches);
        }
    }

    private static string Decode(string text, Place place) => EncodedCharacters().Replace(text, match =>
    {
        string[] numbers = match.Groups["n"].Captures.Select(static c => c.Value).ToArray();
        if (match.Groups["kind"].Value.StartsWith("h", StringComparison.OrdinalIgnoreCase))
        {
            if (numbers.Any(static n => n.Length > 2))
                return match.Value;
            byte[] octets = [.. numbers.Select(static n => byte.Parse(n, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            try
            {
                return new UTF8Encoding(false, true).GetString(octets);
            }
            catch (DecoderFallbackException)
            {
                throw At(place, $"'{match.Value}' is not UTF-8");
            }
        }
        var characters = new StringBuilder();
        foreach (string number in numbers)
        {
            if (!Rune.TryCreate(int.TryParse(number, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int value) ? value : -1, out Rune rune))
                throw At(place, $"'{number}' is no character");
            characters.Append(rune.ToString());
        }
        return characters.ToString();
    });

    [GeneratedRegex(@"\$\{(?<kind>hex|unicode):\s*(?<n>[0-9A-F]+)(?:\s+(?<n>[0-9A-F]+))*\s*\}", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex EncodedCharacters();
}

/// <summary>How a command or a test is made of its arguments.</summary>
/// <param name="Extension">What "require" must have named.</param>
/// <param name="Outgoing">It makes mail that has to leave.</param>
internal sealed record Rule<T>(string? Extension, Func<Arguments, T> Make, bool Outgoing = false);

/// <summary>if, elsif, else (RFC 5228 §3.1).</summary>
internal sealed class If(IReadOnlyList<(Test? Test, Block Block)> branches) : Statement
{
    public override async ValueTask RunAsync(Run run)
    {
        foreach ((Test? test, Block block) in branches)
        {
            run.Step();
            if (test is null || await test.TestAsync(run).ConfigureAwait(false))
            {
                await block.RunAsync(run).ConfigureAwait(false);
                return;
            }
        }
    }
}
