using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MailCluster.Server.Commands.Admin;

/// <summary>How admin commands show many rows: a page at a time, as columns or as JSON.</summary>
internal sealed class Listing
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.CamelCase) },
    };

    public Option<bool> Json { get; } = new("--json") { Description = "a JSON array" };

    public Option<string?> After { get; } = new("--after") { Description = "begin behind this one: the next page" };

    public Option<int> Limit { get; } = NumberOption.Create("--limit", "rows of a page", usually: 100, least: 1);

    /// <summary>JSON as all admin commands write it.</summary>
    public static string Serialize(object value) => JsonSerializer.Serialize(value, Options);

    /// <summary>Prints rows; tells on standard error how to get the next page where there may be one.</summary>
    /// <param name="key">What <see cref="After"/> takes.</param>
    /// <param name="columns">Header and text of each column.</param>
    public int Print<T>(ParseResult parsed, IReadOnlyList<T> rows, Func<T, string>? key, Func<T, object> shape, params (string Header, Func<T, string> Text)[] columns)
    {
        if (parsed.GetValue(Json))
        {
            Console.WriteLine(Serialize(rows.Select(shape)));
        }
        else
        {
            PrintColumns(rows, columns);
        }
        if (key is not null && rows.Count > 0 && rows.Count == parsed.GetValue(Limit))
        {
            Console.Error.WriteLine($"more: --after {key(rows[^1])}");
        }
        return 0;
    }

    /// <summary>Prints rows below a line of headers, each column as wide as its widest text.</summary>
    public static void PrintColumns<T>(IReadOnlyList<T> rows, params (string Header, Func<T, string> Text)[] columns)
    {
        var texts = rows.Select(r => columns.Select(c => c.Text(r)).ToArray()).Prepend([.. columns.Select(c => c.Header)]).ToArray();
        var widths = columns.Select((_, i) => texts.Max(t => t[i].Length)).ToArray();
        foreach (var line in texts)
        {
            Console.WriteLine(string.Join("  ", line.Select((text, i) => text.PadRight(widths[i]))).TrimEnd());
        }
    }
}
