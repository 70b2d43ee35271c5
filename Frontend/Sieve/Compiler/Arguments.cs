using MailCluster.Sieve.Language;
using MailCluster.Sieve.Matching;
using MailCluster.Sieve.Running;

namespace MailCluster.Sieve.Compiler;

/// <summary>
/// The arguments of one command or test, taken piece by piece: first what tags say, then <see cref="Positional"/> and the rest in order. What nobody takes is an error.
/// </summary>
internal sealed class Arguments(Checker checker, Node node)
{
    private readonly List<Argument> _left = [.. node.Arguments];
    private readonly HashSet<Argument> _fromTags = new(ReferenceEqualityComparer.Instance);
    private bool _testsTaken;

    public Checker Checker => checker;

    public Place Place => node.Place;

    public string Name => node.Name;

    /// <summary>":copy".</summary>
    public bool Flag(string tag, string? extension = null) => TagIndex(tag, extension) is >= 0 and int i && Remove(i);

    /// <summary>":subject" with a string.</summary>
    public Text? String(string tag, string? extension = null) => TagString(tag, extension) is { } s ? One(s) : null;

    /// <summary>":addresses" with a list.</summary>
    public IReadOnlyList<Text>? Strings(string tag, string? extension = null) => TagString(tag, extension) is { } s ? Many(s) : null;

    /// <summary>":days" with a number.</summary>
    public long? Number(string tag, string? extension = null)
    {
        int i = TagIndex(tag, extension);
        if (i < 0)
            return null;
        if (i + 1 >= _left.Count || _left[i + 1] is not NumberArgument number)
            throw Checker.At(_left[i].Place, $"':{tag}' needs a number");
        _fromTags.Add(number);
        _left.RemoveAt(i + 1);
        Remove(i);
        return number.Number;
    }

    /// <summary>:comparator and the match type (RFC 5228 §2.7; RFC 5231; draft-ietf-sieve-regex).</summary>
    public MatchSpec Match()
    {
        Comparator comparator = Comparator.AsciiCasemap;
        if (TagString("comparator", null) is { } named)
        {
            string name = Constant(named);
            comparator = Comparator.Find(name) ?? throw Checker.At(named.Place, $"the comparator '{name}' is not known");
            if (comparator == Comparator.AsciiNumeric)
                checker.Need("comparator-i;ascii-numeric", named.Place, name);
        }
        MatchSpec? match = null;
        foreach ((string tag, MatchKind type) in new[] { ("is", MatchKind.Is), ("contains", MatchKind.Contains), ("matches", MatchKind.Matches) })
        {
            if (Flag(tag))
                Take(new MatchSpec(type, comparator, ""));
        }
        if (Flag("regex", "regex"))
            Take(new MatchSpec(MatchKind.Regex, comparator, ""));
        foreach ((string tag, MatchKind type) in new[] { ("value", MatchKind.Value), ("count", MatchKind.Count) })
        {
            if (TagString(tag, "relational") is { } relation)
                Take(new MatchSpec(type, comparator, Relation(relation)));
        }
        match ??= MatchSpec.Default with { Comparator = comparator };
        if (match.Type is MatchKind.Contains or MatchKind.Matches or MatchKind.Regex && !comparator.HasSubstrings)
            throw Checker.At(Place, $"'{comparator.Name}' can't be used with ':{match.Type.ToString().ToLowerInvariant()}'");
        return match;

        void Take(MatchSpec spec) => match = match is null ? spec : throw Checker.At(Place, "two match types");

        string Relation(StringArgument argument)
        {
            string relation = Constant(argument).ToLowerInvariant();
            return relation is "gt" or "ge" or "lt" or "le" or "eq" or "ne" ? relation : throw Checker.At(argument.Place, $"'{relation}' is no relation");
        }
    }

    /// <summary>:all, :localpart, :domain (RFC 5228 §2.7.4), :user, :detail (RFC 5233).</summary>
    public AddressPart AddressPart()
    {
        AddressPart? part = null;
        foreach ((string tag, AddressPart value, string? extension) in new (string, AddressPart, string?)[]
        {
            ("all", Running.AddressPart.All, null), ("localpart", Running.AddressPart.LocalPart, null), ("domain", Running.AddressPart.Domain, null),
            ("user", Running.AddressPart.User, "subaddress"), ("detail", Running.AddressPart.Detail, "subaddress"),
        })
        {
            if (Flag(tag, extension))
                part = part is null ? value : throw Checker.At(Place, "two address parts");
        }
        return part ?? Running.AddressPart.All;
    }

    /// <summary>:index and :last (RFC 5260 §6): which field of a name; null: all.</summary>
    public int? FieldIndex(string extension)
    {
        long? index = Number("index", extension);
        bool last = Flag("last", extension);
        if (last && index is null)
            throw Checker.At(Place, "':last' needs ':index'");
        if (index is < 1 or > 10_000)
            throw Checker.At(Place, "':index' counts from 1");
        return (int?)(last ? -index : index);
    }

    /// <summary>All tags were taken: so many arguments must be left, each behind all tags (RFC 5228 §2.6.2).</summary>
    public void Positional(int atLeast, int? atMost = null)
    {
        if (_left.OfType<TagArgument>().FirstOrDefault() is { } unknown)
            throw Checker.At(unknown.Place, $"'{Name}' does not know ':{unknown.Name}', or not here");
        if (_left.Count < atLeast || _left.Count > (atMost ?? atLeast))
            throw Checker.At(Place, $"'{Name}' takes {atLeast}{(atMost is null ? "" : $" or {atMost}")} argument{(atLeast == 1 && atMost is null ? "" : "s")} behind its tags, not {_left.Count}");
        int lastTag = -1;
        for (int i = 0; i < node.Arguments.Count; i++)
        {
            if (_fromTags.Contains(node.Arguments[i]))
                lastTag = i;
        }
        foreach (Argument argument in _left)
        {
            if (node.Arguments.IndexOf(argument) < lastTag)
                throw Checker.At(argument.Place, "tags come before all other arguments");
        }
    }

    public int Left => _left.Count;

    /// <summary>The next argument, a string or a list.</summary>
    public IReadOnlyList<Text> NextStrings() => Many(NextStringArgument());

    /// <summary>The next argument, a string.</summary>
    public Text NextString() => One(NextStringArgument());

    /// <summary>The next argument, a string without variables.</summary>
    public string NextConstant()
    {
        StringArgument argument = NextStringArgument();
        return Constant(argument);
    }

    /// <summary>The next argument, strings as they are written.</summary>
    public IReadOnlyList<string> Plain() => NextStringArgument().Strings;

    public long NextNumber()
    {
        Argument argument = Next();
        return argument is NumberArgument number ? number.Number : throw Checker.At(argument.Place, "a number is expected here");
    }

    /// <summary>The one test, or those of the list.</summary>
    public IReadOnlyList<Test> Tests(bool one)
    {
        _testsTaken = true;
        if (node.Tests.Count == 0 || (one && node.Tests.Count != 1))
            throw Checker.At(Place, one ? $"'{Name}' takes one test" : $"'{Name}' takes a list of tests");
        return [.. node.Tests.Select(checker.Test)];
    }

    /// <summary>Nothing may be left.</summary>
    public void Done()
    {
        if (_left.Count > 0)
            Positional(0);
        if (node.Tests.Count > 0 && !_testsTaken)
            throw Checker.At(node.Tests[0].Place, $"'{Name}' takes no test");
    }

    private Argument Next()
    {
        Argument next = _left[0];
        _left.RemoveAt(0);
        return next;
    }

    private StringArgument NextStringArgument()
    {
        Argument argument = Next();
        return argument as StringArgument ?? throw Checker.At(argument.Place, "a string is expected here");
    }

    private StringArgument? TagString(string tag, string? extension)
    {
        int i = TagIndex(tag, extension);
        if (i < 0)
            return null;
        if (i + 1 >= _left.Count || _left[i + 1] is not StringArgument text)
            throw Checker.At(_left[i].Place, $"':{tag}' needs a string");
        _fromTags.Add(text);
        _left.RemoveAt(i + 1);
        Remove(i);
        return text;
    }

    private int TagIndex(string tag, string? extension)
    {
        int i = _left.FindIndex(a => a is TagArgument t && t.Name == tag);
        if (i < 0)
            return i;
        checker.Need(extension, _left[i].Place, ":" + tag);
        if (_left.FindLastIndex(a => a is TagArgument t && t.Name == tag) != i)
            throw Checker.At(_left[i].Place, $"':{tag}' twice");
        return i;
    }

    private bool Remove(int i)
    {
        _fromTags.Add(_left[i]);
        _left.RemoveAt(i);
        return true;
    }

    private Text One(StringArgument argument) =>
        argument.Strings.Count == 1 && !argument.IsList ? checker.TextOf(argument.Strings[0], argument.Place) : throw Checker.At(argument.Place, "one string is expected here, not a list");

    private List<Text> Many(StringArgument argument) => [.. argument.Strings.Select(s => checker.TextOf(s, argument.Place))];

    private string Constant(StringArgument argument) => One(argument).Constant ?? throw Checker.At(argument.Place, "no variable is allowed here");
}

internal static class ArgumentPlaces
{
    /// <summary>By identity: the same argument may be written twice.</summary>
    public static int IndexOf(this IReadOnlyList<Argument> arguments, Argument argument)
    {
        for (int i = 0; i < arguments.Count; i++)
        {
            if (ReferenceEquals(arguments[i], argument))
                return i;
        }
        return -1;
    }
}
