using System.CommandLine;

namespace MailCluster.Server.Commands;

/// <summary>Options whose values are the names of an enumeration.</summary>
internal static class NamedOption
{
    /// <summary>Takes the names in any case, and nothing else: a parser of enumerations takes numbers as well, also those that stand for nothing.</summary>
    public static Option<T?> Create<T>(string name, string description)
        where T : struct, Enum => new(name)
        {
            Description = description,
            CustomParser = result =>
            {
                string text = result.Tokens.Count > 0 ? result.Tokens[^1].Value : "";
                if (Enum.GetNames<T>().FirstOrDefault(n => n.Equals(text, StringComparison.OrdinalIgnoreCase)) is { } found)
                {
                    return Enum.Parse<T>(found);
                }
                result.AddError($"The option '{name}' is '{text}'; it must be one of {string.Join(", ", Enum.GetNames<T>()).ToLowerInvariant()}.");
                return null;
            },
        };
}
