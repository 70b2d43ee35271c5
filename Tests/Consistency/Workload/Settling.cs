using System.Diagnostics;
using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;
using MailCluster.Consistency.Workload.Deeds;

namespace MailCluster.Consistency.Workload;

/// <summary>Reading all of everything after a run, so that what sessions know can be compared.</summary>
internal static class Settling
{
    private const string Kind = "settle";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>The selected mailbox of a session that worked.</summary>
    /// <param name="kind">What the commands are in the history.</param>
    public static async Task ReadAsync(ImapSession session, string kind = Kind)
    {
        await session.DrainAsync();
        await session.RunAsync(new Command("NOOP") { Act = _ => new Read(kind, session.Model.Selected) });
        if (session.Model.View is not { } view)
            return;
        await session.RunAsync(Searching.All(view, kind, extended: false));
        if (view.Exists == 0)
            return;
        string modSeq = (session.Can("CONDSTORE") ? " MODSEQ" : "") + (Annotating.IsOffered(session) ? $" {Annotating.Item}" : "");
        await session.RunAsync(new Command("UID FETCH", $"1:* (UID FLAGS{modSeq} {FetchItems.MarkItem})") { Act = _ => new Read(kind, view.Mailbox) });
    }

    /// <summary>All mailboxes of an account through one front end; null, or what could not be read.</summary>
    public static async Task<string?> ReadAllAsync(SessionContext context, AccountState account, FrontEndAddress frontEnd)
    {
        long began = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(began) < Patience)
        {
            if (await Connector.OpenAsync(context, frontEnd.Imap, account.User, account.Password, Resync.None) is { } session)
            {
                if (await ReadAllAsync(session))
                    return null;
                session.Dispose();
            }
            await Task.Delay(500);
        }
        return $"{account.User} cannot be read through {frontEnd.Imap}";
    }

    private static async Task<bool> ReadAllAsync(ImapSession session)
    {
        Answer list = await session.RunAsync(new Command("LIST", "\"\" \"*\"") { Act = static _ => new Read(Kind, null) });
        if (!list.IsOk)
            return false;
        foreach ((Response response, _) in list.Untagged)
        {
            if (response is not { Name: "LIST", Arguments: [var attributes, _, { Text: { } name }, ..] } || attributes.Items.Any(static a => a.Is(@"\Noselect")))
                continue;
            Answer opened = await session.RunAsync(new Command("EXAMINE", $"\"{name}\"")
            {
                Select = new SelectAsk(name, ReadOnly: true, null, OnlyKnown: false),
                Act = answer => new Select(name, answer.IsOk ? session.Model.Selected : null, ReadOnly: true, null),
            });
            if (!opened.IsOk)
                return false;
            await ReadAsync(session);
        }
        if (session.Can("QUOTA"))
            await session.RunAsync(new Command("GETQUOTAROOT", "INBOX") { Act = static _ => new Read(Kind, null) });
        bool isWhole = !session.HasEnded;
        await session.LeaveAsync();
        return isWhole;
    }
}
