using System.CommandLine;
using System.Globalization;
using System.Text;
using CsvHelper;
using CsvHelper.Configuration;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Directories;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin account import FILE.csv</c>: user,password a line, without a header line.</summary>
internal static class AccountImport
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "user,password a line; a password may be a SCRAM-SHA-256 verifier (RFC 5803)" };
        return AdminTarget.Command("import", "Makes many accounts.", [file], async (stores, parsed) =>
        {
            using var reader = Open(parsed.GetRequiredValue(file));
            using var csv = new CsvParser(reader, new CsvConfiguration(CultureInfo.InvariantCulture) { HasHeaderRecord = false, BadDataFound = null, TrimOptions = TrimOptions.None });
            // The store numbers what it is given: the lines of the file that this was.
            var lines = new List<int>();
            var refused = 0;
            void Refuse(int line, string reason)
            {
                refused++;
                Console.Error.WriteLine($"line {line}: {reason}");
            }
            IEnumerable<ImportedAccount> Rows()
            {
                while (csv.Read())
                {
                    if (csv.Record is [{ Length: > 0 } user, { Length: > 0 } password])
                    {
                        lines.Add(csv.RawRow);
                        yield return new(user.Trim(), password);
                    }
                    else
                    {
                        Refuse(csv.RawRow, "is not of the form user,password");
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
