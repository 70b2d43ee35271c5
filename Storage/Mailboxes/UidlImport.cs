using System.Text.RegularExpressions;
using MailCluster.Contracts;
using Npgsql;

namespace MailCluster.Storage.Mailboxes;

/// <summary>Gives messages the POP3 unique-ids that they had on another server, so that clients which know those don't download their mail again.</summary>
public sealed partial class UidlImport(NpgsqlDataSource database)
{
    /// <summary>
    /// All of them or none: unique-ids by UID, each 1 to 70 characters in the range 0x21 to 0x7E (RFC 1939 section 7). One that a message has already is passed over.
    /// Failures: <see cref="MailErrorCode.Cannot"/> (the sentence names the first that can't be), <see cref="MailErrorCode.NonExistent"/> (mailbox).
    /// </summary>
    public Task<MailResult<Done>> RunAsync(MailboxKey mailbox, IReadOnlyList<ImportedUidl> uidls) => Store.Guard<MailResult<Done>>(async () =>
    {
        if (uidls.FirstOrDefault(static u => !Form().IsMatch(u.Uidl)) is { } bad)
            return Cannot(bad, "is no unique-id: 1 to 70 characters from ! to ~");
        // What this server makes of UIDVALIDITY and UID may come to be another message's.
        if (uidls.FirstOrDefault(static u => OwnForm().IsMatch(u.Uidl)) is { } own)
            return Cannot(own, "has the form of this server's own unique-ids");
        await using NpgsqlCommand command = database.CreateCommand("select outcome, at from mail.import_uidls_v1($1, $2, $3, $4)");
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = mailbox.Account.Value });
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = mailbox.Mailbox.Value });
        command.Parameters.Add(new NpgsqlParameter<long[]> { TypedValue = [.. uidls.Select(static u => (long)u.Uid)] });
        command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. uidls.Select(static u => u.Uidl)] });
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        await reader.ReadAsync();
        ImportedUidl At() => uidls[(int)reader.GetInt64(1) - 1];
        return reader.GetInt32(0) switch
        {
            0 => Done.Value,
            1 => new MailError(MailErrorCode.NonExistent, "No such mailbox."),
            2 => Cannot(At(), "can't be given: there is no such message"),
            3 => Cannot(At(), "can't be given: the message has another one"),
            4 => Cannot(At(), "can't be given: another message has it"),
            _ => Cannot(At(), "can't be given: the same UID or unique-id comes twice"),
        };
    });

    private static MailError Cannot(ImportedUidl uidl, string reason) =>
        new(MailErrorCode.Cannot, $"UID {uidl.Uid}: '{new string([.. uidl.Uidl.Take(80).Select(static c => char.IsControl(c) ? '?' : c)])}' {reason}.");

    [GeneratedRegex(@"\A[!-~]{1,70}\z")]
    private static partial Regex Form();

    [GeneratedRegex(@"\A[1-9][0-9]{0,9}\.[1-9][0-9]{0,9}\z")]
    private static partial Regex OwnForm();
}
