using System.Diagnostics;
using System.Net;
using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Benchmarks.Report;
using Npgsql;

namespace MailCluster.Benchmarks.Growth;

/// <summary>What is done in mailboxes of several sizes, each size in its turn, so that whatever else happens on the machine happens to all of them.</summary>
internal static class MailboxGrowth
{
    private const int MessageBytes = 1024;
    private const int Together = 40;
    private const string Other = "size@test.example";

    public static async Task RunAsync(BenchCluster cluster, GrowthSettings settings, CancellationToken cancellation)
    {
        var server = new IPEndPoint(IPAddress.Loopback, cluster.FrontEnd.ImapPort);
        byte[][] bodies = [.. Enumerable.Range(1, 1000).Select(static i => SampleMessages.Of(i, MessageBytes))];
        var curves = new GrowthCurves("messages in the mailbox", settings.Sizes);
        var opening = new GrowthCurves("messages in the mailbox", settings.Sizes);
        var mailboxes = new List<Mailbox>();
        try
        {
            foreach (int size in settings.Sizes)
            {
                string user = $"size{size}@test.example";
                if ((await cluster.Accounts.Accounts.AddAsync(user, Verifier)).IsOk)
                {
                    Console.Error.WriteLine($"filling a mailbox of {size:#,0} messages");
                    await cluster.FillAsync(user, size, bodies);
                }
                mailboxes.Add(await OpenAsync(cluster, server, user, size, opening, cancellation));
            }
            Console.WriteLine(opening.ToTable());
            // What compiles as it goes is compiled before anything counts.
            await RoundAsync(cluster, mailboxes, new GrowthCurves("", settings.Sizes), cancellation);
            for (int round = 0; round < settings.Rounds; round++)
                await RoundAsync(cluster, mailboxes, curves, cancellation);
            Console.WriteLine(curves.ToTable());
            await ManySessionsAsync(cluster, server, mailboxes[^1], cancellation);
        }
        finally
        {
            foreach (IDisposable connection in mailboxes.SelectMany(static m => new[] { m.Works, m.Listens, m.Elsewhere }))
                connection.Dispose();
        }
        if (settings.Plots is { } directory)
        {
            await File.WriteAllTextAsync(Path.Combine(directory, "growth-mailbox.svg"),
                GrowthPlot.Svg(curves, "Cost of a command as the mailbox grows", 1.3, $"median time, to that at {settings.Sizes[0]:#,0} messages; {DateTime.UtcNow:yyyy-MM-dd}, {Environment.ProcessorCount} processors"), cancellation);
        }
    }

    /// <summary>Every account's; hashed once.</summary>
    public static string Verifier { get; } = Storage.Directories.ScramVerifier.Create(BenchCluster.Password);

    // Opens it as the first ever, as one that nobody has in memory, and as one that others have open.
    private static async Task<Mailbox> OpenAsync(BenchCluster cluster, IPEndPoint server, string user, int size, GrowthCurves opening, CancellationToken cancellation)
    {
        ImapConnection connection = await ImapConnection.LoggedInAsync(server, user, BenchCluster.Password);
        byte[] select = ImapConnection.Command("SELECT INBOX"), fetch = ImapConnection.Command("FETCH 1 FLAGS"), unselect = ImapConnection.Command("UNSELECT");
        await connection.RunAsync(select);
        opening.Add("first FETCH after SELECT, from the rows", size, Once(await connection.RunAsync(fetch)));
        await connection.RunAsync(unselect);
        await PackedAsync(cluster, user, size, cancellation);
        // Neither packing nor what is compiled at the first use is what is measured.
        await cluster.ForgetAsync();
        await connection.RunAsync(select);
        await connection.RunAsync(fetch);
        await connection.RunAsync(unselect);
        for (int i = 0; i < 7; i++)
        {
            await cluster.ForgetAsync();
            opening.Add("SELECT, in nobody's memory", size, Once(await connection.RunAsync(select)));
            opening.Add("first FETCH after it, packed pages", size, Once(await connection.RunAsync(fetch)));
            await connection.RunAsync(unselect);
        }
        ImapConnection listens = await ImapConnection.LoggedInAsync(server, user, BenchCluster.Password);
        await listens.RunAsync(select);
        await listens.RunAsync(fetch);
        for (int i = 0; i < 30; i++)
        {
            opening.Add("SELECT, in memory", size, Once(await connection.RunAsync(select)));
            await connection.RunAsync(unselect);
        }
        await connection.RunAsync(select);
        await connection.RunAsync(fetch);
        ImapConnection elsewhere = await ImapConnection.LoggedInAsync(server, user, BenchCluster.Password);
        await elsewhere.RunAsync(select);
        return new Mailbox(size, user, connection, listens, elsewhere, SampleMessages.Append("INBOX", MessageBytes, size));
    }

    private static Latencies Once(Answer answer)
    {
        var times = new Latencies();
        times.Add(answer.Ticks);
        return times;
    }

    private static async Task PackedAsync(BenchCluster cluster, string user, int size, CancellationToken cancellation)
    {
        // Smaller ones are not packed.
        if (size < 2000)
            return;
        await using NpgsqlCommand command = cluster.Database.CreateCommand(
            "select exists (select 1 from mail.snapshot s join mail.account a on a.account_id = s.account_id where a.user_name = $1)");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = user });
        while (await command.ExecuteScalarAsync(cancellation) is not true)
            await Task.Delay(50, cancellation);
    }

    private static async Task RoundAsync(BenchCluster cluster, IReadOnlyList<Mailbox> mailboxes, GrowthCurves curves, CancellationToken cancellation)
    {
        foreach (Mailbox mailbox in mailboxes)
        {
            cancellation.ThrowIfCancellationRequested();
            await MeasureAsync("APPEND", mailbox, async () => await mailbox.Works.RunAsync(mailbox.Append.Next()));
            await MeasureAsync("STORE of one flag", mailbox, async () => await mailbox.Works.RunAsync(mailbox.Store()));
            await MeasureAsync("NOOP after a change elsewhere", mailbox, async () =>
            {
                await mailbox.Elsewhere.RunAsync(mailbox.Store());
                return await mailbox.Works.RunAsync(Noop);
            });
            // Those who listen have heard of all that so far.
            await mailbox.Listens.RunAsync(Noop);
            await mailbox.Listens.IdleAsync();
            await MeasureAsync("APPEND sent to EXISTS at another in IDLE", mailbox, async () =>
            {
                Task<long> told = mailbox.Listens.ExistsAsync(1).AsTask();
                long began = Stopwatch.GetTimestamp();
                await mailbox.Works.RunAsync(mailbox.Append.Next());
                return new Answer(Math.Max(1, await told - began));
            });
            await mailbox.Listens.DoneAsync();
        }

        async Task MeasureAsync(string work, Mailbox mailbox, Func<Task<Answer>> once)
        {
            var times = new Latencies();
            double before = GrowthCommand.Cpu(cluster);
            for (int i = 0; i < Together; i++)
                times.Add((await once()).Ticks);
            curves.Add(work, mailbox.Size, times, GrowthCommand.Cpu(cluster) - before);
        }
    }

    /// <summary>What one session of the largest mailbox takes of the node's memory, and what ten take.</summary>
    private static async Task ManySessionsAsync(BenchCluster cluster, IPEndPoint server, Mailbox mailbox, CancellationToken cancellation)
    {
        await cluster.RestartAsync();
        var sessions = new List<ImapConnection>();
        try
        {
            // Another mailbox, and the code that is compiled once.
            await cluster.Accounts.Accounts.AddAsync(Other, Verifier);
            await SessionAsync(Other);
            long before = await SettledAsync();
            await SessionAsync(mailbox.User);
            long one = await SettledAsync();
            for (int i = 1; i < 10; i++)
                await SessionAsync(mailbox.User);
            long ten = await SettledAsync();
            Console.WriteLine($"Private memory of the node for a mailbox of {mailbox.Size:#,0} messages: {(one - before) / 1e6:0.0} MB with one session that has read it, {(ten - before) / 1e6:0.0} MB with ten.\n");
        }
        finally
        {
            foreach (ImapConnection session in sessions)
                session.Dispose();
        }

        async Task SessionAsync(string user)
        {
            ImapConnection session = await ImapConnection.LoggedInAsync(server, user, BenchCluster.Password);
            sessions.Add(session);
            await session.RunAsync(ImapConnection.Command("SELECT INBOX"));
            await session.RunAsync(ImapConnection.Command("UID FETCH 1:* FLAGS"));
        }

        // What was garbage goes when something is done for a while.
        async Task<long> SettledAsync()
        {
            for (int i = 0; i < 200; i++)
                await sessions[0].RunAsync(Noop);
            await Task.Delay(1000, cancellation);
            return Memory.PrivateBytes(cluster.FrontEndProcess.Id);
        }
    }

    private static readonly byte[] Noop = ImapConnection.Command("NOOP");

    /// <param name="Works">Does what is measured.</param>
    /// <param name="Listens">Has it selected, and is in IDLE where that is measured.</param>
    /// <param name="Elsewhere">Makes changes that the first hears of.</param>
    private sealed record Mailbox(int Size, string User, ImapConnection Works, ImapConnection Listens, ImapConnection Elsewhere, NumberedBytes Append)
    {
        private readonly Random _random = new(Size);
        private int _uid;

        // Set at one message, and taken from it the next time: each changes something.
        public byte[] Store()
        {
            bool adds = _uid == 0;
            int uid = adds ? _random.Next(1, Size + 1) : _uid;
            _uid = adds ? uid : 0;
            return ImapConnection.Command($"UID STORE {uid} {(adds ? '+' : '-')}FLAGS.SILENT (\\Flagged)");
        }
    }
}
