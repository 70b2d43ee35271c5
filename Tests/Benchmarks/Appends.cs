using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Text;

namespace MailCluster.Benchmarks;

/// <summary>Durable APPENDs a second, from connections that each wait for their answer.</summary>
internal static class Appends
{
    public static Command Command()
    {
        var size = new Option<int>("--bytes") { Description = "The size of a message.", DefaultValueFactory = static _ => 4096 };
        var seconds = new Option<int>("--seconds") { Description = "How long each number of connections is measured.", DefaultValueFactory = static _ => 8 };
        var command = new Command("append", "APPENDs a second: own mailboxes, one mailbox.") { size, seconds };
        command.SetAction(result => RunAsync(result.GetValue(size), result.GetValue(seconds)));
        return command;
    }

    private static async Task<int> RunAsync(int bytes, int seconds)
    {
        await using BenchCluster cluster = await BenchCluster.StartAsync(apart: false);
        var server = new IPEndPoint(IPAddress.Loopback, cluster.FrontEnd.ImapPort);
        var users = new List<string>();
        for (int i = 0; i < 32; i++)
            users.Add(await cluster.AccountAsync());
        Console.WriteLine("connections | mailboxes | appends/s | CPU ms an append: node | PostgreSQL | generator");
        foreach ((int connections, bool own) in new[] { (8, true), (1, true), (8, true), (32, true), (8, false) })
        {
            long count = 0;
            var clock = Stopwatch.StartNew();
            TimeSpan[] cpu = Cpu(cluster);
            await Task.WhenAll(Enumerable.Range(0, connections).Select(async i =>
            {
                using ImapLoad client = await ImapLoad.LoggedInAsync(server, users[own ? i : 0], BenchCluster.Password);
                for (int n = 0; clock.Elapsed.TotalSeconds < seconds; n++)
                {
                    await client.AppendAsync("INBOX", Message(i, n, bytes));
                    Interlocked.Increment(ref count);
                }
            }));
            double elapsed = clock.Elapsed.TotalSeconds;
            double[] each = [.. Cpu(cluster).Zip(cpu, (after, before) => (after - before).TotalMilliseconds / count)];
            Console.WriteLine($"{connections,11} | {(own ? "own" : "one"),9} | {count / elapsed,9:F0} | {each[0],24:F3} | {each[1],10:F3} | {each[2],9:F3}");
        }
        Console.WriteLine("The first line warms up.");
        return 0;
    }

    private static TimeSpan[] Cpu(BenchCluster cluster) =>
    [
        Memory.Cpu(cluster.FrontEndProcess.Id),
        Memory.Children(cluster.Postmaster).Aggregate(TimeSpan.Zero, static (sum, p) => sum + Memory.Cpu(p)),
        Process.GetCurrentProcess().TotalProcessorTime,
    ];

    private static byte[] Message(int client, int number, int bytes)
    {
        string header = $"From: a@bench.example\r\nTo: b@bench.example\r\nSubject: {number}\r\nMessage-ID: <{client}.{number}.{Guid.NewGuid():N}@bench.example>\r\n\r\n";
        return Encoding.ASCII.GetBytes(header + string.Concat(Enumerable.Repeat(new string('x', 62) + "\r\n", Math.Max(1, (bytes - header.Length) / 64))));
    }
}
