using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>CREATE, DELETE and RENAME (RFC 9051 §6.3.4 to §6.3.6) of mailboxes that other clients may have selected. INBOX stays.</summary>
internal static class Naming
{
    public static Task ChangeAsync(Worker worker) => worker.Account.NameAsync(() => OneAsync(worker));

    /// <summary>CREATE, and STATUS, so that all clients know its UIDVALIDITY. Whether it is known what happened.</summary>
    public static async Task<bool> CreateAsync(Worker worker, string name)
    {
        Answer created = await worker.Session.RunAsync(new Command("CREATE", name)
        {
            Act = answer => new Create(name, answer.CodeOf("MAILBOXID")?.Arguments is [ListToken { Items: [{ Text: { } id }] }] ? new MailboxRef(worker.Account.User, id) : null),
        });
        if (created.IsOk || created.Code?.Name == "ALREADYEXISTS")
        {
            await worker.Session.RunAsync(Watching.Status(worker, name));
            worker.Account.Appeared(name);
        }
        return IsKnown(created);
    }

    private static async Task<bool> OneAsync(Worker worker)
    {
        // What is shared stays, as INBOX does.
        string[] there = [.. worker.Account.Names.Where(worker.Account.Possible.Contains)];
        string[] free = [.. worker.Account.Possible.Except(there)];
        // At least one besides INBOX, and all possible ones now and then.
        if (free.Length > 0 && (there.Length < 2 || worker.Chance(0.5)))
            return await CreateAsync(worker, worker.OneOf(free));
        return worker.Chance(0.5) && free.Length > 0
            ? await RenameAsync(worker, worker.OneOf(there), worker.OneOf(free))
            : await DeleteAsync(worker, worker.OneOf(there));
    }

    private static async Task<bool> DeleteAsync(Worker worker, string name)
    {
        Answer status = await worker.Session.RunAsync(Watching.Status(worker, name));
        MailboxRef? gone = status.Seen.OfType<SeenCounts>().FirstOrDefault()?.In;
        if (gone is { } mailbox)
            worker.Context.Registry.Replace(mailbox);
        Answer answer = await worker.Session.RunAsync(new Command("DELETE", name) { Act = _ => new Delete(name, gone) });
        if (answer.IsOk || answer.Code?.Name == "NONEXISTENT")
            worker.Account.Disappeared(name);
        return IsKnown(answer);
    }

    private static async Task<bool> RenameAsync(Worker worker, string name, string to)
    {
        if (worker.Context.Registry.LastNamed(worker.Account.User, name) is { } mailbox)
            worker.Context.Registry.Replace(mailbox);
        Answer answer = await worker.Session.RunAsync(new Command("RENAME", $"{name} {to}") { Act = _ => new Rename(name, to) });
        if (answer.IsOk)
        {
            worker.Account.Appeared(to);
            worker.Account.Disappeared(name);
            await worker.Session.RunAsync(Watching.Status(worker, to));
        }
        else if (answer.Code?.Name == "NONEXISTENT")
        {
            worker.Account.Disappeared(name);
        }
        return IsKnown(answer);
    }

    private static bool IsKnown(Answer answer) => answer.Outcome != Outcome.Unknown && answer.Code?.Name != "UNAVAILABLE";
}
