using System.Diagnostics;
using System.Net;
using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Report;
using Npgsql;

namespace MailCluster.Benchmarks.Growth;

/// <summary>A mailbox that keeps its size while messages come, change and go for minutes: whether PostgreSQL's vacuum, set as it comes, keeps up, by tenths of the time.</summary>
internal static class Churn
{
    private const int Clients = 4;
    private const int Kept = 2000;
    private const int Parts = 10;

    // What is changed or deleted: the others only grow until their days are dropped, or the collector comes.
    private static readonly string[] Tables = ["mailbox", "account", "message", "message_flags", "email"];

    public static async Task RunAsync(BenchCluster cluster, GrowthSettings settings, CancellationToken cancellation)
    {
        var imap = new IPEndPoint(IPAddress.Loopback, cluster.FrontEnd.ImapPort);
        string user = await cluster.AccountAsync();
        await cluster.FillAsync(user, Kept, Enumerable.Range(1, Kept).Select(static i => SampleMessages.Of(i, 1024)));
        long[] done = new long[1];
        double time = settings.Seconds;
        var clock = Stopwatch.StartNew();
        Task[] working = [.. Enumerable.Range(0, Clients).Select(n => WorkAsync(imap, user, n, done, () => clock.Elapsed.TotalSeconds < time, cancellation))];
        var table = new Table(["s", "rounds/s", "CPU ms a round", .. Tables.Select(static t => $"{t} MB (dead, vacuums)")]);
        double cpu = GrowthCommand.Cpu(cluster);
        long rounds = 0;
        for (int part = 1; part <= Parts; part++)
        {
            TimeSpan rest = TimeSpan.FromSeconds(time * part / Parts) - clock.Elapsed;
            if (rest > TimeSpan.Zero)
                await Task.WhenAny(Task.WhenAll(working), Task.Delay(rest, cancellation));
            double now = GrowthCommand.Cpu(cluster);
            long all = Interlocked.Read(ref done[0]);
            table.Add([
                clock.Elapsed.TotalSeconds.ToString("0"), ((all - rounds) / (time / Parts)).ToString("0.0"), ((now - cpu) * 1000 / Math.Max(all - rounds, 1)).ToString("0.0"),
                .. await WeighAsync(cluster, cancellation)]);
            (cpu, rounds) = (now, all);
        }
        await Task.WhenAll(working);
        Console.WriteLine($"{Clients} clients in one mailbox of {Kept:#,0} messages; a round is an APPEND of 1 KB, four STOREs of a flag, STORE of \\Deleted and UID EXPUNGE of the message that has been there longest.\n");
        Console.WriteLine(table);
    }

    private static async Task WorkAsync(IPEndPoint imap, string user, int client, long[] done, Func<bool> goesOn, CancellationToken cancellation)
    {
        using ImapConnection connection = await ImapConnection.LoggedInAsync(imap, user, BenchCluster.Password);
        await connection.RunAsync(ImapConnection.Command("SELECT INBOX"));
        NumberedBytes message = SampleMessages.Append("INBOX", 1024, client);
        // Each deletes UIDs of its own: what the others have appended in the meantime it does not know.
        for (int uid = client + 1; goesOn(); uid += Clients)
        {
            cancellation.ThrowIfCancellationRequested();
            await connection.RunAsync(message.Next());
            for (int i = 1; i <= 4; i++)
                await connection.RunAsync(ImapConnection.Command($"UID STORE {uid + (i * 100 * Clients)} {(i % 2 == 0 ? '+' : '-')}FLAGS.SILENT ({(i > 2 ? "\\Flagged" : "\\Seen")})"));
            await connection.RunAsync(ImapConnection.Command($"UID STORE {uid} +FLAGS.SILENT (\\Deleted)"));
            await connection.RunAsync(ImapConnection.Command($"UID EXPUNGE {uid}"));
            Interlocked.Increment(ref done[0]);
        }
    }

    // With its parts, indexes and TOAST.
    private static async Task<string[]> WeighAsync(BenchCluster cluster, CancellationToken cancellation)
    {
        await using NpgsqlCommand command = cluster.Database.CreateCommand(
            """
            select coalesce(p.relname, c.relname), (sum(pg_total_relation_size(c.oid)) / 1e6)::float8, sum(s.n_dead_tup)::bigint, sum(s.autovacuum_count)::bigint
            from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_stat_user_tables s on s.relid = c.oid
            left join pg_inherits i on i.inhrelid = c.oid left join pg_class p on p.oid = i.inhparent
            where n.nspname = 'mail' and c.relkind = 'r' group by 1
            """);
        var weights = new Dictionary<string, string>();
        await using NpgsqlDataReader reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
            weights.Add(reader.GetString(0), $"{reader.GetDouble(1):0.0} ({reader.GetInt64(2):#,0}, {reader.GetInt64(3)})");
        return [.. Tables.Select(t => weights.GetValueOrDefault(t, "–"))];
    }
}
