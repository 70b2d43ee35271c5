namespace MailCluster.Sieve.Language;

/// <summary>An argument as written (RFC 5228 §2.6).</summary>
internal abstract record Argument(Place Place);

internal sealed record TagArgument(Place Place, string Name) : Argument(Place);

internal sealed record NumberArgument(Place Place, long Number) : Argument(Place);

/// <param name="IsList">In brackets; one string without them is a list of one, too, where a list is asked for.</param>
internal sealed record StringArgument(Place Place, IReadOnlyList<string> Strings, bool IsList) : Argument(Place);

/// <summary>A test, or a command without what follows it: a name, its arguments, and the tests that it is given.</summary>
internal record Node(Place Place, string Name, IReadOnlyList<Argument> Arguments, IReadOnlyList<Node> Tests);

/// <param name="Block">Null: the command ended with a semicolon.</param>
internal sealed record CommandNode(Place Place, string Name, IReadOnlyList<Argument> Arguments, IReadOnlyList<Node> Tests, IReadOnlyList<CommandNode>? Block)
    : Node(Place, Name, Arguments, Tests);
