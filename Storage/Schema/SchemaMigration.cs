using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace MailCluster.Storage.Schema;

/// <summary>One numbered SQL file (Storage/Migrations/NNNN_name.sql), embedded in this assembly.</summary>
/// <param name="Number">NNNN: rising, each once, gaps allowed; also the version of the code that was built with it as its last one.</param>
/// <param name="Name">The file's name without number and ending.</param>
/// <param name="Sql">The file's text.</param>
/// <param name="Contract">
/// The file's first line is <c>-- contract</c>: it takes away what older nodes need, and runs only when asked for.
/// Every other file only adds (expand): nodes of the version before keep working.
/// </param>
public sealed partial record SchemaMigration(int Number, string Name, string Sql, bool Contract)
{
    /// <summary>All migrations, by number.</summary>
    public static IReadOnlyList<SchemaMigration> All { get; } = Load(typeof(SchemaMigration).Assembly);

    /// <summary>SHA-256 of the text, lower-case hexadecimal: an applied file must never change.</summary>
    public string Checksum => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql)));

    private static List<SchemaMigration> Load(Assembly assembly)
    {
        var found = new List<SchemaMigration>();
        foreach (var resource in assembly.GetManifestResourceNames())
        {
            if (FileName().Match(resource) is not { Success: true } match)
            {
                continue;
            }
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
            var sql = reader.ReadToEnd().ReplaceLineEndings("\n");
            found.Add(new(int.Parse(match.Groups[1].ValueSpan), match.Groups[2].Value, sql, sql.StartsWith("-- contract\n", StringComparison.Ordinal)));
        }
        found.Sort((a, b) => a.Number.CompareTo(b.Number));
        for (var i = 1; i < found.Count; i++)
        {
            if (found[i].Number == found[i - 1].Number)
            {
                throw new InvalidOperationException($"Migration {found[i].Number:0000} is there twice.");
            }
        }
        return found;
    }

    [GeneratedRegex(@"\.(\d{4})_([a-z0-9_]+)\.sql$")]
    private static partial Regex FileName();
}
