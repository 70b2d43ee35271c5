using System.CommandLine;
using MailCluster.Storage.Mailboxes;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin mailbox check [USER [MAILBOX]]</c>: compares what is counted with what is there, and mends it where asked to.</summary>
internal static class MailboxCheckCommand
{
    public static Command Create()
    {
        var user = new Argument<string?>("USER") { Arity = ArgumentArity.ZeroOrOne, Description = "only this account; without it all, also tenants' usage and bodies that nothing refers to" };
        var mailbox = new Argument<string?>("MAILBOX") { Arity = ArgumentArity.ZeroOrOne, Description = "only this mailbox" };
        var repair = new Option<bool>("--repair") { Description = "mend counters, usage, and missing rows of flags; UIDs and UIDVALIDITY stay, no message is ever removed" };
        var bodies = new Option<bool>("--bodies") { Description = "also read every body and compare its CRC-32C" };
        var json = new Option<bool>("--json") { Description = "one JSON object" };
        return AdminTarget.Command("check", "Compares counters, flags, bodies and usage with the rows; fails when something is wrong and was not mended.",
            [user, mailbox, repair, bodies, json], async (stores, parsed) =>
        {
            var options = new MailboxCheckOptions { Repair = parsed.GetValue(repair), Bodies = parsed.GetValue(bodies) };
            if (parsed.GetValue(user) is { } name)
            {
                if (parsed.GetValue(mailbox) is { } path)
                {
                    var found = await MailboxLookup.MailboxAsync(stores.Database, name, path);
                    if (!found.IsOk)
                    {
                        return AdminTarget.Refuse(found.Error.Text);
                    }
                    options = options with { Account = found.Value.Account, Mailbox = found.Value.Mailbox };
                }
                else
                {
                    var found = await MailboxLookup.AccountAsync(stores.Database, name);
                    if (!found.IsOk)
                    {
                        return AdminTarget.Refuse(found.Error.Text);
                    }
                    options = options with { Account = found.Value };
                }
            }
            var check = new MailboxCheck(stores.Database);
            var asJson = parsed.GetValue(json);
            var findings = new List<MailboxFinding>();
            var (count, repaired) = (0, 0);
            await foreach (var finding in check.RunAsync(options))
            {
                count++;
                repaired += finding.Repaired ? 1 : 0;
                if (asJson)
                {
                    findings.Add(finding);
                }
                else
                {
                    Console.WriteLine(finding);
                }
            }
            if (asJson)
            {
                Console.WriteLine(Listing.Serialize(new
                {
                    check.Mailboxes, check.Messages,
                    Findings = findings.Select(f => new { f.Kind, f.User, f.Mailbox, MailboxId = f.Key?.Mailbox.Value, f.Uid, f.Text, f.Repaired }),
                }));
            }
            else
            {
                Console.WriteLine($"{check.Mailboxes} mailboxes with {check.Messages} messages looked at, {count} findings, {repaired} repaired");
            }
            return count == repaired ? 0 : 1;
        });
    }
}
