using System.Diagnostics;
using System.Net;
using MailCluster.Benchmarks.Load;
using MailCluster.Storage.Directories;
using Npgsql;

namespace MailCluster.Benchmarks.Growth;

/// <summary>What is done while more and more accounts, and messages of theirs, are in the database.</summary>
internal static class AccountGrowth
{
    private const int Slice = 5000;
    private const int Samples = 200;
    private const int PageSize = 100;

    public static async Task RunAsync(BenchCluster cluster, GrowthSettings settings, CancellationToken cancellation)
    {
        var curves = new GrowthCurves("accounts in the database", settings.Accounts);
        var filling = Stopwatch.StartNew();
        List<FilledBody>? bodies = null;
        foreach (int size in settings.Accounts)
        {
            for (int there = await CountAsync(cluster) / Slice * Slice; there < size; there += Slice)
            {
                cancellation.ThrowIfCancellationRequested();
                if (filling.Elapsed > settings.Fill)
                {
                    Console.WriteLine($"{there:#,0} accounts are there: run it again with the same --data to go on.");
                    return;
                }
                bodies ??= await BodiesAsync(cluster);
                await FillAsync(cluster, there, Math.Min(size, there + Slice), settings.MessagesEach, bodies);
                if (there % 50_000 == 0)
                    Console.Error.WriteLine($"{there:#,0} accounts, {filling.Elapsed.TotalSeconds:0} s");
            }
            await new StoredMail(cluster.Database).SettleAsync();
            await MeasureAsync(cluster, size, curves, cancellation);
        }
        Console.WriteLine(curves.ToTable());
        if (settings.Plots is { } directory)
        {
            await File.WriteAllTextAsync(Path.Combine(directory, "growth-accounts.svg"), GrowthPlot.Svg(
                curves, "Cost as accounts and mail grow", 1.3,
                $"median time, to that at {settings.Accounts[0]:#,0} accounts, {settings.MessagesEach} messages each; {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} processors"), cancellation);
        }
    }

    private static string User(int number) => $"acc{number:D7}@test.example";

    private static async Task<int> CountAsync(BenchCluster cluster)
    {
        await using NpgsqlCommand command = cluster.Database.CreateCommand("select count(*)::integer from directory.account where user_name like 'acc%'");
        return (int)(await command.ExecuteScalarAsync())!;
    }

    // Mail to many, as newsletters are: one body for all who got it.
    private static async Task<List<FilledBody>> BodiesAsync(BenchCluster cluster)
    {
        await using NpgsqlCommand command = cluster.Database.CreateCommand("select id from directory.tenant where name = 'test'");
        return await new StoredMail(cluster.Database).AddBodiesAsync((long)(await command.ExecuteScalarAsync())!, Enumerable.Range(1, 1000).Select(static i => SampleMessages.Of(i, 1024)));
    }

    private static async Task FillAsync(BenchCluster cluster, int from, int to, int messages, IReadOnlyList<FilledBody> bodies)
    {
        await cluster.Accounts.Accounts.ImportAsync(Enumerable.Range(from, to - from).Select(static i => new ImportedAccount(User(i), MailboxGrowth.Verifier)), static (_, _) => { });
        if (messages == 0)
            return;
        var empty = new List<FilledMailbox>();
        await using (NpgsqlCommand command = cluster.Database.CreateCommand(
            """
            select m.account_id, m.id from mail.account a join mail.mailbox m on m.account_id = a.account_id and m.path = array['INBOX'] and m.messages = 0
            where a.account_id in (select d.id from directory.account d where d.user_name >= $1 and d.user_name < $2)
            """))
        {
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = User(from) });
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = User(to) });
            await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
            while (await reader.ReadAsync())
                empty.Add(new FilledMailbox(reader.GetInt64(0), reader.GetInt64(1), messages));
        }
        await new StoredMail(cluster.Database).AddMessagesAsync(empty, bodies);
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
