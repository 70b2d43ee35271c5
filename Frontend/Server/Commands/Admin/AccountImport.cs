using System.CommandLine;
using System.Text;
using CsvHelper;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin account import FILE.csv</c>: user,password a line, without a header line.</summary>
internal static class AccountImport
{
    public static Command Create()
    {
        var file = AdminTarget.File("user,password a line; a password may be a SCRAM-SHA-256 verifier (RFC 5803) or another system's hash, as in {SSHA512}… or {BLF-CRYPT}…");
        return AdminTarget.Command("import", "Makes many accounts.", [file], async (stores, parsed) =>
        {
            using var text = Open(parsed.GetRequiredValue(file));
            using var csv = CsvReader.Create(text, new CsvReaderOptions
            {
                HasHeader = false, Separator = ',', DetectSeparatorHint = false, TrackLineNumbers = true,
                // A message of an exception must not tell a password.
                IncludeValuesInExceptions = false,
            });
            // The store numbers what it is given: the lines of the file that this was.
            var lines = new List<long>();
            var refused = 0;
            void Refuse(long line, string reason)
            {
                refused++;
                Console.Error.WriteLine($"line {line}: {reason}");
            }
            IEnumerable<ImportedAccount> Rows()
            {
                while (csv.Read())
                {
                    if (csv.FieldCount == 2 && !csv.IsEmpty(0) && !csv.IsEmpty(1))
                    {
                        lines.Add(csv.LineNumber);
                        yield return new(csv.GetString(0).Trim(), csv.GetString(1));
                    }
                    else
                    {
                        Refuse(csv.LineNumber, "is not of the form user,password");
                    }
                }
            }
            var made = await stores.Accounts.ImportAsync(Rows(), (place, error) => Refuse(lines[place], error.Text));
            Console.WriteLine($"{made} made, {refused} refused");
            return refused == 0 ? 0 : 1;
        });
    }

    private static StreamReader Open(string file)
    {
        try
        {
            return new(file, Encoding.UTF8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OptionsException($"{file} can't be read: {e.Message}");
        }
    }
}
