using System.Diagnostics;
using System.Net;
using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Report;
using MailCluster.Storage.Private;
using Npgsql;

namespace MailCluster.Benchmarks.Growth;

/// <summary>What the database pays: octets a message beyond its body, what changes of flags leave behind, and what an old snapshot or a backup costs those who write meanwhile.</summary>
internal static class DatabaseCosts
{
    private const int Clients = 8;
    private const int MessagesEach = 2500;
    private const int BodyBytes = 4096;
    private const int FlaggedTogether = 100;

    public static async Task RunAsync(BenchCluster cluster, GrowthSettings settings, CancellationToken cancellation)
    {
        var imap = new IPEndPoint(IPAddress.Loopback, cluster.FrontEnd.ImapPort);
        string user = await cluster.AccountAsync();
        await WeighMessagesAsync(cluster, imap, user, MessagesEach, cancellation);
        await WeighFlagsAsync(cluster, imap, user, Clients * MessagesEach, settings.FlagChanges, cancellation);
        await BesideAsync(cluster, imap, user, settings.Seconds, cancellation);
    }

    private static async Task WeighMessagesAsync(BenchCluster cluster, IPEndPoint imap, string user, int messagesEach, CancellationToken cancellation)
    {
        Dictionary<string, long> before = await WeightsAsync(cluster);
        long octets = 0;
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(async client =>
        {
            using ImapConnection connection = await ImapConnection.LoggedInAsync(imap, user, BenchCluster.Password);
            for (int i = 0; i < messagesEach; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                byte[] message = SampleMessages.Of((client * messagesEach) + i, BodyBytes);
                Interlocked.Add(ref octets, message.Length);
                await connection.AppendAsync("INBOX", message, 1);
            }
        }));
        int messages = Clients * messagesEach;
        await using (NpgsqlCommand vacuum = cluster.Database.CreateCommand("vacuum"))
            await vacuum.ExecuteNonQueryAsync(cancellation);
        Dictionary<string, long> after = await WeightsAsync(cluster);
        var table = new Table("octets a message", "");
        long all = 0;
        foreach ((string name, long weight) in after.OrderByDescending(w => w.Value - before.GetValueOrDefault(w.Key)))
        {
            long more = weight - before.GetValueOrDefault(name) - (name == "body_chunk" ? octets : 0);
            all += more;
            if (more / messages > 0)
                table.Add(name == "body_chunk" ? "body_chunk, beyond the message itself" : name, (more / messages).ToString());
        }
        table.Add($"in all, beyond a message of {octets / messages:#,0}", (all / messages).ToString());
        Console.WriteLine(table);
    }

    // Partitions with what they are parts of; indexes and TOAST with their tables.
    private static async Task<Dictionary<string, long>> WeightsAsync(BenchCluster cluster)
    {
        await using NpgsqlCommand command = cluster.Database.CreateCommand(
            """
            select coalesce(p.relname, c.relname), sum(pg_total_relation_size(c.oid))::bigint from pg_class c join pg_namespace n on n.oid = c.relnamespace
            left join pg_inherits i on i.inhrelid = c.oid left join pg_class p on p.oid = i.inhparent
            where n.nspname = 'mail' and c.relkind = 'r' group by 1
            """);
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
        var weights = new Dictionary<string, long>();
        while (await reader.ReadAsync())
            weights.Add(reader.GetString(0), reader.GetInt64(1));
        return weights;
    }

    private static async Task WeighFlagsAsync(BenchCluster cluster, IPEndPoint imap, string user, int messages, int changes, CancellationToken cancellation)
    {
        const int Parts = 4;
        using ImapConnection connection = await ImapConnection.LoggedInAsync(imap, user, BenchCluster.Password);
        await connection.RunAsync(ImapConnection.Command("SELECT INBOX"));
        var table = new Table("changes of flags", "message_flags MB", "change MB", "dead rows", "vacuumed by itself", "s");
        var clock = Stopwatch.StartNew();
        int done = 0;
        await AddAsync();
        for (int part = 1; part <= Parts; part++)
        {
            for (; done < (long)changes * part / Parts; done += FlaggedTogether)
            {
                cancellation.ThrowIfCancellationRequested();
                // From end to end again and again: set, then taken away, so that each is a change.
                int first = (done % messages) + 1;
                await connection.RunAsync(ImapConnection.Command($"UID STORE {first}:{first + FlaggedTogether - 1} {(done / messages % 2 == 0 ? '+' : '-')}FLAGS.SILENT (\\Flagged)"));
            }
            await AddAsync();
        }
        Console.WriteLine(table);

        async Task AddAsync()
        {
            await using NpgsqlCommand command = cluster.Database.CreateCommand(
                """
                select (pg_total_relation_size('mail.message_flags') / 1e6)::float8, (select sum(pg_total_relation_size(inhrelid)) / 1e6 from pg_inherits where inhparent = 'mail.change'::regclass)::float8,
                    n_dead_tup, autovacuum_count from pg_stat_user_tables where relid = 'mail.message_flags'::regclass
                """);
            await using NpgsqlDataReader reader = await command.ExecuteReaderAsync();
            await reader.ReadAsync();
            table.Add(done.ToString("#,0"), reader.GetDouble(0).ToString("0.0"), reader.GetDouble(1).ToString("0.0"), reader.GetInt64(2).ToString("#,0"), reader.GetInt64(3).ToString(), clock.Elapsed.TotalSeconds.ToString("0"));
        }
    }

    /// <summary>APPEND and STORE into one busy mailbox: alone, while a transaction keeps its snapshot, after it, and while a base backup runs.</summary>
    private static async Task BesideAsync(BenchCluster cluster, IPEndPoint imap, string user, double seconds, CancellationToken cancellation)
    {
        var table = new Table("meanwhile", "STORE/s, by fifths of the time", "APPEND/s, by fifths of the time", "STORE p99 ms", "APPEND p99 ms");
        await LoadAsync("", Math.Min(3, seconds));
        await LoadAsync("nothing", Beside(seconds));
        await using (NpgsqlConnection old = await cluster.Database.OpenConnectionAsync(cancellation))
        {
            await using NpgsqlTransaction transaction = await old.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellation);
            await using (var look = new NpgsqlCommand("select count(*) from mail.tenant", old, transaction))
                await look.ExecuteScalarAsync(cancellation);
            await LoadAsync($"a transaction keeps its snapshot, {seconds:0} s", seconds);
        }
        await LoadAsync("it has ended", Beside(seconds));
        using var backup = new CancellationTokenSource();
        Task copying = BackUpAsync(cluster, backup.Token);
        await LoadAsync("base backups, one after the other", Beside(seconds));
        await backup.CancelAsync();
        await copying;
        Console.WriteLine(table);

        static double Beside(double seconds) => Math.Min(60, seconds / 2);

        async Task LoadAsync(string meanwhile, double time)
        {
            const int Parts = 5;
            int[] stores = new int[Parts], appends = new int[Parts];
            (Latencies store, Latencies append) = (new Latencies(), new Latencies());
            using ImapConnection storing = await ImapConnection.LoggedInAsync(imap, user, BenchCluster.Password);
            using ImapConnection appending = await ImapConnection.LoggedInAsync(imap, user, BenchCluster.Password);
            await storing.RunAsync(ImapConnection.Command("SELECT INBOX"));
            NumberedBytes message = SampleMessages.Append("INBOX", 1024, Random.Shared.Next());
            long began = Stopwatch.GetTimestamp();
            int uid = 0;
            await Task.WhenAll(
                LoopAsync(stores, store, () => storing.RunAsync(ImapConnection.Command($"UID STORE {(uid / 2 % 1000) + 1} {(uid++ % 2 == 0 ? '+' : '-')}FLAGS.SILENT (\\Answered)"))),
                LoopAsync(appends, append, () => appending.RunAsync(message.Next())));
            if (meanwhile.Length > 0)
                table.Add(meanwhile, Rates(stores), Rates(appends), GrowthCurves.Number(store.Milliseconds(0.99)), GrowthCurves.Number(append.Milliseconds(0.99)));

            async Task LoopAsync(int[] into, Latencies times, Func<ValueTask<Answer>> once)
            {
                for (double at; (at = Stopwatch.GetElapsedTime(began).TotalSeconds / time) < 1;)
                {
                    cancellation.ThrowIfCancellationRequested();
                    times.Add((await once()).Ticks);
                    into[(int)(at * Parts)]++;
                }
            }

            string Rates(int[] counts) => string.Join(' ', counts.Select(c => (c / (time / Parts)).ToString("#,0")));
        }
    }

    // As pg_basebackup does for a standby; what it reads goes nowhere.
    private static async Task BackUpAsync(BenchCluster cluster, CancellationToken stop)
    {
        var settings = new NpgsqlConnectionStringBuilder(cluster.ConnectionString);
        while (!stop.IsCancellationRequested)
        {
            var start = new ProcessStartInfo("/bin/sh",
                ["-c", $"exec '{PostgresPrograms.Find()}/pg_basebackup' -h {settings.Host} -p {settings.Port} -U {settings.Username} -c fast -X none -F tar -D - > /dev/null"]);
            start.Environment["PGPASSWORD"] = settings.Password;
            using Process process = Process.Start(start)!;
            try
            {
                await process.WaitForExitAsync(stop);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
                return;
            }
            if (process.ExitCode != 0)
                throw new InvalidOperationException("pg_basebackup has failed.");
        }
    }
}
