using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;
using MailCluster.Storage.Mailboxes;

namespace MailCluster.Server.Commands.Admin;

/// <summary><c>admin mailbox expunged USER [MAILBOX]</c> and <c>admin mailbox restore USER MAILBOX</c>: what was expunged or deleted, and bringing it back.</summary>
internal static class MailboxRestoreCommands
{
    public static Command CreateExpunged()
    {
        var user = new Argument<string>("USER");
        var mailbox = new Argument<string?>("MAILBOX") { Arity = ArgumentArity.ZeroOrOne, Description = "its name, also that of a deleted one, or its id; without it, all mailboxes with what is kept of each" };
        var (meant, listing) = (new Meant(), new Listing());
        return AdminTarget.Command("expunged", "Lists the expunged messages that can be restored, those of deleted mailboxes too.",
            [user, mailbox, .. meant.Options, listing.Json, listing.After, listing.Limit], async (stores, parsed) =>
        {
            var account = await MailboxLookup.AccountAsync(stores.Database, parsed.GetRequiredValue(user));
            if (!account.IsOk)
            {
                return AdminTarget.Refuse(account.Error.Text);
            }
            var expunged = new ExpungedMessages(stores.Database);
            await expunged.GatherAsync(account.Value);
            if (parsed.GetValue(mailbox) is not { } name)
            {
                return listing.Print(parsed, await expunged.MailboxesAsync(account.Value), null,
                    m => new { Id = m.Id.Value, Path = m.Path?.Segments, m.Exists, m.Messages, m.Bytes, m.First, m.Last },
                    ("MAILBOX", m => m.Path?.ToString() ?? "(name not known)"), ("ID", m => m.Id.ToString()), ("DELETED", m => m.Exists ? "-" : "yes"), ("MESSAGES", m => $"{m.Messages}"),
                    ("BYTES", m => $"{m.Bytes}"), ("FIRST", m => Time(m.First)), ("LAST", m => Time(m.Last)));
            }
            var sources = await MailboxLookup.EverAsync(stores.Database, account.Value, name);
            if (!sources.IsOk)
            {
                return AdminTarget.Refuse(sources.Error.Text);
            }
            (MailboxId, uint)? after = null;
            if (parsed.GetValue(listing.After) is { } last)
            {
                if (last.Split(':') is not [var id, var uid] || !long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out var mailboxId)
                    || !uint.TryParse(uid, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                {
                    return AdminTarget.Refuse($"--after: '{last}' is not of the form ID:UID.");
                }
                after = (new MailboxId(mailboxId), number);
            }
            var rows = await expunged.ListAsync(account.Value, meant.Filter(parsed, sources.Value), after, Math.Max(1, parsed.GetValue(listing.Limit)));
            return listing.Print(parsed, rows, m => $"{m.Mailbox}:{m.Uid}", m => new { Mailbox = m.Mailbox.Value, m.Uid, m.At, m.InternalDate, m.Size, m.From, m.Subject },
                ("ID", m => m.Mailbox.ToString()), ("UID", m => $"{m.Uid}"), ("EXPUNGED", m => Time(m.At)), ("DATE", m => Time(m.InternalDate)), ("SIZE", m => $"{m.Size}"), ("FROM", m => m.From),
                ("SUBJECT", m => m.Subject));
        });
    }

    public static Command CreateRestore()
    {
        var user = new Argument<string>("USER");
        var mailbox = new Argument<string>("MAILBOX") { Description = "where the messages were: its name, also that of a deleted one, or its id" };
        var into = new Option<string?>("--into") { Description = "another mailbox of the account, which must be there; without it they go back to where they were, and a deleted mailbox is made again" };
        var json = new Option<bool>("--json") { Description = "one JSON object" };
        var meant = new Meant();
        return AdminTarget.Command("restore", "Brings expunged messages back, under new UIDs; open sessions see them arrive. Once: what is back is not brought back again.",
            [user, mailbox, into, .. meant.Options, json], async (stores, parsed) =>
        {
            var (who, name) = (parsed.GetRequiredValue(user), parsed.GetRequiredValue(mailbox));
            var account = await MailboxLookup.AccountAsync(stores.Database, who);
            if (!account.IsOk)
            {
                return AdminTarget.Refuse(account.Error.Text);
            }
            var expunged = new ExpungedMessages(stores.Database);
            await expunged.GatherAsync(account.Value);
            var sources = await MailboxLookup.EverAsync(stores.Database, account.Value, name);
            if (!sources.IsOk)
            {
                return AdminTarget.Refuse(sources.Error.Text);
            }
            var filter = meant.Filter(parsed, sources.Value);
            // Nothing is made for nothing.
            if (await expunged.ListAsync(account.Value, filter, null, 1) is [])
            {
                return AdminTarget.Refuse($"Nothing that is kept of '{name}' is meant: 'admin mailbox expunged' lists what there is.");
            }
            MailboxKey target;
            if (parsed.GetValue(into) is { } other)
            {
                var found = await MailboxLookup.MailboxAsync(stores.Database, who, other);
                if (!found.IsOk)
                {
                    return AdminTarget.Refuse($"--into: {found.Error.Text}");
                }
                target = found.Value;
            }
            else if (sources.Value.FirstOrDefault(m => m.Exists) is { } there)
            {
                target = new MailboxKey(account.Value, there.Id);
            }
            else if (sources.Value[0].Path is { } path)
            {
                target = await expunged.RecreateAsync(account.Value, path, await stores.Ids.NextAsync(path.Segments.Count));
            }
            else
            {
                return AdminTarget.Refuse($"The name of the mailbox '{name}' is not known any more: say where its messages are to go (--into).");
            }
            var restored = await expunged.RestoreAsync(target, filter);
            if (!restored.IsOk)
            {
                return AdminTarget.Refuse(restored.Error.Text);
            }
            var result = restored.Value;
            Console.WriteLine(parsed.GetValue(json)
                ? Listing.Serialize(new { result.Messages, result.Bytes, Uids = result.Uids.ToString(), Whole = result.Rest is null })
                : $"{result.Messages} messages, {result.Bytes} octets, are back{(result.Messages == 0 ? "" : $" as UIDs {result.Uids}")}");
            return result.Rest is null ? 0 : AdminTarget.Refuse(result.Rest.Text);
        });
    }

    private static string Time(DateTimeOffset at) => $"{at.UtcDateTime:yyyy-MM-dd HH:mm:ss}";

    /// <summary>The options that say which messages are meant.</summary>
    private sealed class Meant
    {
        private readonly Option<DateTimeOffset?> _since = When("--since", "expunged then or later, e.g. 2026-11-20T08:00Z; without an offset the time is UTC");
        private readonly Option<DateTimeOffset?> _until = When("--until", "expunged before then");
        private readonly Option<SequenceSet?> _uids = new("--uids")
        {
            Description = "UIDs that they had, e.g. 7,12:19",
            CustomParser = result =>
            {
                try
                {
                    return SequenceSet.Parse(result.Tokens[0].Value);
                }
                catch (ImapSyntaxException)
                {
                    result.AddError($"--uids: '{result.Tokens[0].Value}' is no set of UIDs, e.g. 7,12:19.");
                    return null;
                }
            },
        };

        public IEnumerable<Symbol> Options => [_since, _until, _uids];

        public ExpungedFilter Filter(ParseResult parsed, IReadOnlyList<OnceMailbox> mailboxes) => new([.. mailboxes.Select(static m => m.Id)], parsed.GetValue(_since), parsed.GetValue(_until),
            parsed.GetValue(_uids) is { } uids ? UidSet.FromRanges(uids.Resolve(uint.MaxValue).Select(static r => new UidRange(r.Start, r.End))) : null);

        private static Option<DateTimeOffset?> When(string name, string description) => new(name)
        {
            Description = description,
            CustomParser = result =>
            {
                if (DateTimeOffset.TryParse(result.Tokens[0].Value, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
                {
                    return time;
                }
                result.AddError($"{name}: '{result.Tokens[0].Value}' is no time, e.g. 2026-11-20T08:00Z.");
                return null;
            },
        };
    }
}
