using System.CommandLine;
using System.Globalization;

namespace MailCluster.Server.Commands;

/// <summary>Options that are whole numbers in a range.</summary>
internal static class NumberOption
{
    public static Option<int> Create(string name, string description, int usually, int least, int most = int.MaxValue) => new(name)
    {
        Description = description,
        DefaultValueFactory = _ => usually,
        // Not a validator, which a value that is no number would reach as an exception.
        CustomParser = result =>
        {
            string text = result.Tokens.Count > 0 ? result.Tokens[^1].Value : "";
            if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number) && number >= least && number <= most)
            {
                return number;
            }
            result.AddError($"The option '{name}' is '{text}'; it must be a number from {least} to {most}.");
            return usually;
        },
    };
}
