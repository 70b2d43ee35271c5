using System.Diagnostics;
using System.Net;
using MailCluster.Benchmarks.Load;
using Npgsql;

namespace MailCluster.Benchmarks.Growth;

/// <summary>What is done while more and more accounts, and messages of theirs, are in the database.</summary>
internal static class AccountGrowth
{
    private const string Name = "acc";
    private const int Slice = 10_000;
    private const int Samples = 200;
    private const int PageSize = 100;

    public static async Task RunAsync(BenchCluster cluster, GrowthSettings settings, CancellationToken cancellation)
    {
        var curves = new GrowthCurves("accounts in the database", settings.Accounts);
        string? earlier = settings.Data is { } data ? Path.Combine(data, "growth-accounts.json") : null;
        if (earlier is not null)
            await curves.LoadAsync(earlier);
        var filling = Stopwatch.StartNew();
        foreach (int size in settings.Accounts)
        {
            // A run before this one has come further.
            if (await IsThereAsync(cluster, size))
                continue;
            if (!await FillAsync(cluster, size, settings, filling, cancellation))
                break;
            await new StoredMail(cluster.Database).SettleAsync();
            await MeasureAsync(cluster, size, curves, cancellation);
            if (earlier is not null)
                await curves.SaveAsync(earlier);
        }
        Console.WriteLine(curves.ToTable());
        if (settings.Plots is { } directory)
        {
            await File.WriteAllTextAsync(Path.Combine(directory, "growth-accounts.svg"), GrowthPlot.Svg(
                curves, "Cost as accounts and mail grow", 1.3,
                $"median time, to that at {settings.Accounts[0]:#,0} accounts, {settings.MessagesEach} messages each; {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} processors"), cancellation);
        }
    }

    private static string User(int number) => $"{Name}{number:D7}@test.example";

    private static async Task<bool> IsThereAsync(BenchCluster cluster, int number)
    {
        await using NpgsqlCommand command = cluster.Database.CreateCommand("select 1 from directory.account where user_name = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = User(number) });
        return await command.ExecuteScalarAsync() is not null;
    }

    /// <summary>Adds accounts until there are so many; false when the time for it was over before.</summary>
    private static async Task<bool> FillAsync(BenchCluster cluster, int size, GrowthSettings settings, Stopwatch filling, CancellationToken cancellation)
    {
        var accounts = new StoredAccounts(cluster.Database, Name);
        List<FilledBody>? bodies = null;
        var missing = new List<int>();
        for (int from = 0; from < size; from += Slice)
        {
            if (!await IsThereAsync(cluster, Math.Min(size, from + Slice) - 1))
                missing.Add(from);
        }
        if (missing.Count > 0)
            bodies = await accounts.AddBodiesAsync(1024);
        int left = missing.Count;
        await Parallel.ForEachAsync(missing, new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = cancellation }, async (from, _) =>
        {
            if (filling.Elapsed > settings.Fill)
                return;
            // What a smaller size has left of the slice.
            int first = settings.Accounts.Where(s => s > from && s < from + Slice && s < size).Append(from).Max();
            await accounts.AddAsync(first, Math.Min(size, from + Slice), settings.MessagesEach, bodies!);
            Interlocked.Decrement(ref left);
        });
        if (left > 0)
            Console.WriteLine($"{left * (long)Slice:#,0} of {size:#,0} accounts are still missing: run it again with the same --data to go on.");
        return left == 0;
    }

    private static async Task MeasureAsync(BenchCluster cluster, int size, GrowthCurves curves, CancellationToken cancellation)
    {
        Console.Error.WriteLine($"measuring at {size:#,0} accounts");
        for (int i = 0; i < 3; i++)
            curves.Add("start of a node", size, Times(await cluster.RestartAsync()));
        var imap = new IPEndPoint(IPAddress.Loopback, cluster.FrontEnd.ImapPort);
        var random = new Random(size);
        // Never the same twice: what compiles as it goes does it with the first part of them.
        int[] accounts = [.. Enumerable.Range(0, 3 * Samples).Select(_ => random.Next(size)).Distinct()];
        using LmtpConnection lmtp = await LmtpConnection.GreetedAsync(new IPEndPoint(IPAddress.Loopback, cluster.FrontEnd.LmtpPort));
        NumberedBytes message = SampleMessages.Message(1024, random.Next());
        await LoopAsync(null, accounts[..(accounts.Length / 3)]);
        await LoopAsync(curves, accounts[(accounts.Length / 3)..]);

        async Task LoopAsync(GrowthCurves? into, int[] some)
        {
            await EachAsync("first log-in", async account => await LogInAsync(account));
            await EachAsync("log-in again", async account => await LogInAsync(account));
            await EachAsync("delivery to a mailbox in nobody's memory", async account => await lmtp.DeliverAsync(LmtpConnection.Envelope([User(account)]), 1, message.Next()));
            await EachAsync($"a page of {PageSize} accounts", async account =>
            {
                long began = Stopwatch.GetTimestamp();
                await cluster.Accounts.Accounts.ListAsync(null, User(account), PageSize);
                return Answer.Since(began);
            });

            async Task EachAsync(string work, Func<int, Task<Answer>> once)
            {
                var times = new Latencies();
                double before = GrowthCommand.Cpu(cluster);
                foreach (int account in some)
                {
                    cancellation.ThrowIfCancellationRequested();
                    times.Add((await once(account)).Ticks);
                }
                into?.Add(work, size, times, GrowthCommand.Cpu(cluster) - before);
            }
        }

        async Task<Answer> LogInAsync(int account)
        {
            using ImapConnection connection = await ImapConnection.GreetedAsync(imap);
            Answer answer = await connection.RunAsync(ImapConnection.Login(User(account), BenchCluster.Password));
            await connection.RunAsync(ImapConnection.Command("LOGOUT"));
            return answer;
        }
    }

    private static Latencies Times(TimeSpan time)
    {
        var times = new Latencies();
        times.Add((long)(time.TotalSeconds * Stopwatch.Frequency));
        return times;
    }
}
