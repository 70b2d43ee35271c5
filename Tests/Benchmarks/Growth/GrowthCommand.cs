using System.CommandLine;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Report;

namespace MailCluster.Benchmarks.Growth;

/// <summary>How the cost of what clients do grows with what is there: tables, and a picture of each.</summary>
internal static class GrowthCommand
{
    public static Command Command()
    {
        var parts = new Argument<string[]>("parts") { Description = "mailbox, accounts, database: what grows, or what the database pays; none means all of these. churn: a mailbox whose messages come and go for --seconds.", Arity = ArgumentArity.ZeroOrMore };
        parts.AcceptOnlyFromAmong("mailbox", "accounts", "database", "churn");
        var sizes = new Option<int[]>("--sizes") { Description = "Messages in a mailbox.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = static _ => [1000, 10_000, 30_000] };
        var accounts = new Option<int[]>("--accounts") { Description = "Accounts in the database.", AllowMultipleArgumentsPerToken = true, DefaultValueFactory = static _ => [1000, 10_000] };
        var each = new Option<int>("--messages-each") { Description = "Messages of each of those accounts.", DefaultValueFactory = static _ => 10 };
        var rounds = new Option<int>("--rounds") { Description = "How often each size has its turn; all samples of a size are taken together.", DefaultValueFactory = static _ => 5 };
        var seconds = new Option<double>("--seconds") { Description = "How long an old snapshot is held and flags are changed meanwhile.", DefaultValueFactory = static _ => 10 };
        var changes = new Option<int>("--changes") { Description = "Changes of flags after which the tables are weighed again.", DefaultValueFactory = static _ => 100_000 };
        var plot = new Option<DirectoryInfo?>("--plot") { Description = "Writes growth-mailbox.svg and growth-accounts.svg into this directory." };
        var data = new Option<DirectoryInfo?>("--data") { Description = "Keeps the database there: the next run goes on where this one ends, so that a large one can be filled in several." };
        var fillOnly = new Option<double?>("--fill-seconds") { Description = "Fills accounts for so long, with --data, and measures nothing where it has not come to the end." };
        var command = new Command("growth", "How costs grow: mailboxes of 1,000 messages and of a million, databases of 1,000 accounts and of a million. The defaults take a few minutes.")
        {
            parts, sizes, accounts, each, rounds, seconds, changes, plot, data, fillOnly,
        };
        command.SetAction(async (result, cancellation) =>
        {
            string[] wanted = result.GetValue(parts) is { Length: > 0 } named ? named : ["mailbox", "accounts", "database"];
            var settings = new GrowthSettings(
                [.. result.GetValue(sizes)!.Order()], [.. result.GetValue(accounts)!.Order()], result.GetValue(each), result.GetValue(rounds), result.GetValue(seconds),
                result.GetValue(changes), result.GetValue(plot)?.FullName, result.GetValue(data)?.FullName,
                result.GetValue(fillOnly) is { } fill ? TimeSpan.FromSeconds(fill) : TimeSpan.MaxValue);
            Console.WriteLine($"{Machine.Describe()}; load average at the start {Machine.Load()}; {DateTime.UtcNow:yyyy-MM-dd}; one node with all roles.\n");
            await using BenchCluster cluster = await BenchCluster.StartAsync(apart: false, data: result.GetValue(data)?.FullName);
            if (wanted.Contains("mailbox"))
                await MailboxGrowth.RunAsync(cluster, settings, cancellation);
            if (wanted.Contains("database"))
                await DatabaseCosts.RunAsync(cluster, settings, cancellation);
            if (wanted.Contains("churn"))
                await Churn.RunAsync(cluster, settings, cancellation);
            if (wanted.Contains("accounts"))
                await AccountGrowth.RunAsync(cluster, settings, cancellation);
            return 0;
        });
        return command;
    }

    /// <summary>Processor seconds of node and PostgreSQL, to be subtracted from later ones.</summary>
    public static double Cpu(BenchCluster cluster) => ProcessTree.CpuSeconds(cluster.FrontEndProcess.Id) + ProcessTree.CpuSeconds(cluster.Postmaster);
}

/// <summary>How far it goes.</summary>
/// <param name="Sizes">Messages in a mailbox, rising.</param>
/// <param name="Accounts">Accounts in the database, rising.</param>
/// <param name="MessagesEach">Messages of each of them.</param>
/// <param name="Rounds">Turns of each size.</param>
/// <param name="Seconds">For what lasts.</param>
/// <param name="FlagChanges">After which tables are weighed.</param>
/// <param name="Plots">A directory, or null.</param>
/// <param name="Data">Where the database stays, or null.</param>
/// <param name="Fill">How long accounts are filled at most.</param>
internal sealed record GrowthSettings(
    int[] Sizes, int[] Accounts, int MessagesEach, int Rounds, double Seconds, int FlagChanges, string? Plots, string? Data, TimeSpan Fill);
