using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Text;
using MailCluster.Benchmarks.Load;
using MailCluster.Benchmarks.Measure;
using MailCluster.Tests.Support;

namespace MailCluster.Benchmarks;

/// <summary>Whether a large message costs memory: private memory of the front end and of PostgreSQL's backends while large messages are stored and fetched.</summary>
internal static class LargeMessages
{
    public static Command Command()
    {
        var transfers = new Option<int>("--transfers") { Description = "How many messages go each way.", DefaultValueFactory = static _ => 20 };
        var megabytes = new Option<int>("--megabytes") { Description = "The size of each.", DefaultValueFactory = static _ => 100 };
        var parallel = new Option<int>("--parallel") { Description = "How many at a time.", DefaultValueFactory = static _ => 4 };
        var command = new Command("large", "Memory of front end and PostgreSQL while large messages come and go.") { transfers, megabytes, parallel };
        command.SetAction(result => RunAsync(result.GetValue(transfers), result.GetValue(megabytes), result.GetValue(parallel)));
        return command;
    }

    private static async Task<int> RunAsync(int transfers, int megabytes, int parallel)
    {
        await using BenchCluster cluster = await BenchCluster.StartAsync(apart: true, messageMegabytes: megabytes + 1);
        int postmaster = cluster.Postmaster;
        var server = new IPEndPoint(IPAddress.Loopback, cluster.FrontEnd.ImapPort);
        string user = await cluster.AccountAsync();

        // A megabyte at a time, each line CRLF ended; the first has no header that ends, which is a message all the same.
        byte[] piece = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(new string('m', 62) + "\r\n", 16 * 1024)));
        await AppendAllAsync(1, 1);
        long frontEndBefore = Memory.PrivateBytes(cluster.FrontEndProcess.Id);
        var clock = Stopwatch.StartNew();
        await using (var memory = new Memory(() => Processes(cluster.FrontEndProcess, postmaster)))
        {
            await AppendAllAsync(transfers, megabytes);
            Report("APPEND", memory);
        }
        clock.Restart();
        await using (var memory = new Memory(() => Processes(cluster.FrontEndProcess, postmaster)))
        {
            var next = 1;
            await Task.WhenAll(Enumerable.Range(0, parallel).Select(async _ =>
            {
                using ImapConnection client = await ImapConnection.LoggedInAsync(server, user, BenchCluster.Password);
                await client.RunAsync(ImapConnection.Command("SELECT INBOX"));
                for (int uid; (uid = Interlocked.Increment(ref next)) <= transfers + 1;)
                {
                    // The answer has a line before the message and one after it.
                    if ((await client.RunAsync(ImapConnection.Command($"UID FETCH {uid} BODY.PEEK[]"))).Octets < (long)megabytes * piece.Length)
                        throw new InvalidOperationException("A message came back shorter than it was.");
                }
            }));
            Report("FETCH", memory);
        }
        return 0;

        async Task AppendAllAsync(int count, int size)
        {
            var left = count;
            await Task.WhenAll(Enumerable.Range(0, Math.Min(parallel, count)).Select(async _ =>
            {
                using ImapConnection client = await ImapConnection.LoggedInAsync(server, user, BenchCluster.Password);
                while (Interlocked.Decrement(ref left) >= 0)
                    await client.AppendAsync("INBOX", piece, size);
            }));
        }

        void Report(string what, Memory memory) => Console.WriteLine(
            $"{what} of {transfers} × {megabytes} MB, {parallel} at a time: {clock.Elapsed.TotalSeconds:F1} s, {(double)transfers * megabytes / clock.Elapsed.TotalSeconds:F0} MB/s; "
            + $"front end {frontEndBefore >> 20} MB before, {memory.Peaks["front end"] >> 20} MB at most; largest PostgreSQL backend {memory.Peaks.Where(static p => p.Key != "front end").Max(static p => p.Value) >> 20} MB");
    }

    private static IEnumerable<(string, int)> Processes(ServerProcess frontEnd, int postmaster) =>
        ProcessTree.Children(postmaster).Select(static p => ($"backend {p}", p)).Prepend(("front end", frontEnd.Id));
}
