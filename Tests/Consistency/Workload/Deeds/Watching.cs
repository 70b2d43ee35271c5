using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload.Deeds;

/// <summary>Commands that change nothing: NOOP, CHECK, STATUS, LIST, GETQUOTAROOT, IDLE, LOGOUT.</summary>
internal static class Watching
{
    /// <summary>After it the client may remember the mailbox as it knows it.</summary>
    public static async Task NoopAsync(Worker worker)
    {
        Answer answer = await Run(worker, "NOOP", "");
        if (answer.IsOk && worker.Chance(0.4))
            worker.Remember();
    }

    // Not in IMAP4rev2, but every server has it.
    public static Task CheckAsync(Worker worker) => Run(worker, "CHECK", "");

    public static async Task StatusAsync(Worker worker)
    {
        string name = worker.AnyMailbox();
        Answer answer = await worker.Session.RunAsync(Status(worker, name));
        if (answer.Code?.Name == "NONEXISTENT")
            worker.Account.Disappeared(name);
    }

    public static Command Status(Worker worker, string name)
    {
        string items = "MESSAGES UIDNEXT UIDVALIDITY UNSEEN";
        if (worker.Session.Can("CONDSTORE"))
            items += " HIGHESTMODSEQ";
        if (worker.Session.Can("STATUS=SIZE"))
            items += " SIZE";
        if (worker.Session.Can("OBJECTID"))
            items += " MAILBOXID";
        return new Command("STATUS", $"{name} ({items})") { Act = _ => new Read("STATUS", worker.Session.Model.Selected) };
    }

    /// <summary>Finds mailboxes that others made.</summary>
    public static async Task ListAsync(Worker worker)
    {
        Answer answer = await Run(worker, "LIST", "\"\" \"*\"");
        foreach ((Response response, _) in answer.Untagged)
        {
            if (response is { Name: "LIST", Arguments: [_, _, { Text: { } name }, ..] } && worker.Account.Possible.Contains(name))
                worker.Account.Appeared(name);
        }
    }

    public static Task QuotaAsync(Worker worker) => Run(worker, "GETQUOTAROOT", "INBOX");

    /// <summary>For 1 to 5 s.</summary>
    public static async Task IdleAsync(Worker worker)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(worker.Stop);
        done.CancelAfter(worker.Random.Next(1_000, 5_000));
        await worker.Session.IdleAsync(done.Token);
    }

    public static Task LeaveAsync(Worker worker) => worker.Session.LeaveAsync();

    private static Task<Answer> Run(Worker worker, string name, string arguments) =>
        worker.Session.RunAsync(new Command(name, arguments) { Act = _ => new Read(name, worker.Session.Model.Selected) });
}
