using System.CommandLine;
using MailCluster.Contracts;
using MailCluster.Server.Configuration;
using MailCluster.Storage.Mailboxes;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin mailbox import-uidl USER FILE</c>: UID and POP3 unique-id a line, with a space or a comma between.</summary>
internal static class UidlImportCommand
{
    public static Command Create()
    {
        var user = new Argument<string>("USER");
        var file = AdminTarget.File("a line for each message: its UID in INBOX here, a space or comma, and its UIDL on the server that it came from; - reads standard input");
        return AdminTarget.Command("import-uidl", "Gives messages of INBOX the POP3 unique-ids that they had elsewhere, so that nobody downloads his mail twice. All or none.",
            [user, file], async (stores, parsed) =>
        {
            var found = await MailboxLookup.MailboxAsync(stores.Database, parsed.GetRequiredValue(user), "INBOX");
            if (!found.IsOk)
            {
                return AdminTarget.Refuse(found.Error.Text);
            }
            var uidls = new List<ImportedUidl>();
            using var text = Open(parsed.GetRequiredValue(file));
            for (var number = 1; await text.ReadLineAsync() is { } line; number++)
            {
                if (line.Length == 0)
                {
                    continue;
                }
                var between = line.IndexOfAny([' ', ',']);
                if (between < 0 || !uint.TryParse(line[..between], out var uid))
                {
                    return AdminTarget.Refuse($"line {number} is not of the form UID UIDL");
                }
                uidls.Add(new(uid, line[(between + 1)..].Trim(' ')));
            }
            return AdminTarget.Report(await new UidlImport(stores.Database).RunAsync(found.Value, uidls), $"{uidls.Count} unique-ids given");
        });
    }

    private static TextReader Open(string file)
    {
        try
        {
            return file == "-" ? Console.In : new StreamReader(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new OptionsException($"{file} can't be read: {e.Message}");
        }
    }
}
