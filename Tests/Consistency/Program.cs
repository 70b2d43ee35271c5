using System.CommandLine;
using MailCluster.Consistency;
using MailCluster.Consistency.Faults;
using MailCluster.Storage.Private;

var seed = new Option<int?>("--seed") { Description = "everything random comes from it; printed when not given", HelpName = "N" };
var clients = new Option<int>("--clients") { Description = "IMAP clients at once", HelpName = "N", DefaultValueFactory = static _ => 12 };
var seconds = new Option<int>("--seconds")
{
    Description = "how long they work; longer where a fault has not had its turn by then", HelpName = "N", DefaultValueFactory = static _ => 60,
};
var faults = new Option<string?>("--faults")
{
    Description = "names with commas, all or none; without it those that need neither root nor a standby:\n"
        + string.Join('\n', AllFaults.List.Select(static f => $"{f.Name}{(f.Seconds is { } s ? $"[:SECONDS, {s}]" : "")}: {f.Help}")),
    HelpName = "LIST",
};
var frontEnds = new Option<string?>("--front-ends") { Description = "aims at running IMAP servers in place of a cluster of its own", HelpName = "HOST:PORT,…" };
var account = new Option<string[]>("--account")
{
    Description = "with --front-ends: an account that may be filled with mail; several times for several", HelpName = "USER:PASSWORD",
};
var keep = new Option<bool>("--keep-on-violation") { Description = "after a violation the cluster stays up until Ctrl-C" };
var oneRole = new Option<bool>("--one-role") { Description = "three nodes of role all in place of silos and front ends: doors and owners share processes" };
var history = new Option<string?>("--history") { Description = "writes all operations, with what was told, to a file at the end", HelpName = "FILE" };

var root = new RootCommand(
    "Many clients work in the same mailboxes while nodes die, and everything they were told is compared. It starts a cluster of its own (three silos, two front "
    + "ends, PostgreSQL) and takes it down again. The last line says what was done and found; the exit code is 0 only when nothing was found.")
{
    seed, clients, seconds, faults, oneRole, frontEnds, account, keep, history,
};
root.SetAction(async (parsed, _) =>
{
    try
    {
        var options = CheckOptions.Of(
            parsed.GetValue(seed), parsed.GetValue(clients), parsed.GetValue(seconds), parsed.GetValue(faults), parsed.GetValue(frontEnds),
            parsed.GetValue(account) ?? [], parsed.GetValue(keep)) with { History = parsed.GetValue(history), OneRole = parsed.GetValue(oneRole) };
        using var signals = new CheckSignals();
        return await new CheckRun(options, signals).RunAsync();
    }
    catch (Exception e) when (e is CheckException or PrivatePostgresException)
    {
        Console.Error.WriteLine($"check: {e.Message}");
        return 2;
    }
    catch (OperationCanceledException)
    {
        Console.Error.WriteLine("check: broken off");
        return 130;
    }
});
// The run ends itself at SIGINT and SIGTERM: it takes the cluster down, which lasts longer than a command line's patience.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null });
