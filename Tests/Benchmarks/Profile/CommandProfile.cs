using System.Diagnostics;
using System.Globalization;
using System.Net;
using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Report;

namespace MailCluster.Benchmarks.Profile;

/// <summary>
/// Where the time of one command goes, from the spans of the product itself: one client at one node, a command at a time, so that what is heard between two
/// answers belongs to one command.
/// </summary>
internal static class CommandProfile
{
    private const int Messages = 200;

    private static readonly string[] _parts =
        ["client, socket, event loop", "front end", "to the owner and back", "owner", "lane: wait and hand over", "PostgreSQL: commit", "body: parse and hand over", "PostgreSQL: body", "PostgreSQL: other"];

    public static async Task<int> RunAsync(double seconds, CancellationToken cancellation)
    {
        await using BenchCluster cluster = await BenchCluster.StartAsync(apart: false);
        var server = new IPEndPoint(IPAddress.Loopback, cluster.FrontEnd.ImapPort);
        string user = await cluster.AccountAsync();
        using ImapConnection client = await ImapConnection.LoggedInAsync(server, user, BenchCluster.Password);
        byte[] message = SampleMessages.Of(1, 4096);
        for (int i = 0; i < Messages; i++)
            await client.AppendAsync("INBOX", SampleMessages.Of(i, 4096), 1);
        await client.RunAsync(ImapConnection.Command("SELECT INBOX"));
        int uid = 0;
        (string Name, Func<Task> Once)[] commands =
        [
            ("LOGIN", async () => (await ImapConnection.LoggedInAsync(server, user, BenchCluster.Password)).Dispose()),
            ("SELECT", async () => await client.RunAsync(ImapConnection.Command("SELECT INBOX"))),
            ("UID FETCH BODY.PEEK[]", async () => await client.RunAsync(ImapConnection.Command($"UID FETCH {Next()} BODY.PEEK[]"))),
            ("UID STORE", async () => await client.RunAsync(ImapConnection.Command($"UID STORE {Next()} {(uid / Messages % 2 == 0 ? '+' : '-')}FLAGS.SILENT (\\Flagged)"))),
            ("APPEND 4 KB", async () => await client.AppendAsync("Sent", message, 1)),
        ];
        var table = new Table(["µs a command", .. commands.Select(static c => c.Name)]);
        var columns = new List<double[]>();
        var quiet = new List<double>();
        foreach ((_, Func<Task> once) in commands)
        {
            await LoopAsync(once, TimeSpan.FromSeconds(Math.Min(2, seconds)), cancellation);
            quiet.Add((await LoopAsync(once, TimeSpan.FromSeconds(seconds), cancellation)).Microseconds);
            var spans = new Spans(cluster.FrontEndProcess.Id);
            double microseconds = (await LoopAsync(once, TimeSpan.FromSeconds(seconds), cancellation)).Microseconds;
            columns.Add(Share(await spans.StopAsync(), microseconds));
        }
        for (int part = 0; part < _parts.Length; part++)
            table.Add([_parts[part], .. columns.Select(c => Text(c[part]))]);
        table.Add(["in all, with spans heard", .. columns.Select(static c => Text(c.Sum()))]);
        table.Add(["in all, without", .. quiet.Select(Text)]);
        Console.WriteLine($"{Machine.Describe()}; load average {Machine.Load()}; one connection, one command at a time.\n");
        Console.WriteLine(table);
        return 0;

        int Next() => (uid++ % Messages) + 1;
    }

    private static string Text(double microseconds) => microseconds.ToString("F0", CultureInfo.InvariantCulture);

    private static async Task<(int Count, double Microseconds)> LoopAsync(Func<Task> once, TimeSpan time, CancellationToken cancellation)
    {
        long began = Stopwatch.GetTimestamp();
        int count = 0;
        for (; Stopwatch.GetElapsedTime(began) < time; count++)
        {
            cancellation.ThrowIfCancellationRequested();
            await once();
        }
        return (count, Stopwatch.GetElapsedTime(began).TotalMicroseconds / count);
    }

    /// <summary>The parts of one command, in the order of <see cref="_parts"/>, from the spans of many.</summary>
    private static double[] Share(List<Span> spans, double whole)
    {
        Span[] Of(string name) => [.. spans.Where(s => s.Source != "Npgsql" && s.Name.StartsWith(name, StringComparison.Ordinal)).OrderBy(static s => s.Begin)];
        Span[] commands = Of("command "), lanes = Of("lane"), stages = Of("stage"), owners = Of("owner ");
        if (commands.Length == 0)
            throw new InvalidOperationException("The node told of no command: its diagnostic port is closed (DOTNET_EnableDiagnostics).");
        double command = Sum(commands), call = Sum(Of("call")), owner = Sum(owners), lane = Sum(lanes), stage = Sum(stages);
        // One command at a time: a statement belongs to the span in which it ran, whoever sent it.
        Span[] statements = [.. spans.Where(static s => s.Source == "Npgsql").OrderBy(static s => s.Begin)];
        double committing = Within(lanes), staging = Within(stages), other = Within(owners) - committing;
        return [whole - command, command - call - stage, call - owner, owner - lane - other, lane - committing, committing, stage - staging, staging, other];

        double Sum(Span[] some) => some.Sum(static s => s.Microseconds) / commands.Length;

        // The time in which any statement ran: what runs beside it, behind another command, is not waited for twice.
        double Within(Span[] some)
        {
            double sum = 0;
            int first = 0;
            foreach (Span span in some)
            {
                while (first < statements.Length && statements[first].End <= span.Begin)
                    first++;
                long covered = span.Begin;
                for (int i = first; i < statements.Length && statements[i].Begin < span.End; i++)
                {
                    long end = Math.Min(statements[i].End, span.End);
                    sum += Math.Max(0, end - Math.Max(covered, statements[i].Begin));
                    covered = Math.Max(covered, end);
                }
            }
            return sum / TimeSpan.TicksPerMicrosecond / commands.Length;
        }
    }
}
