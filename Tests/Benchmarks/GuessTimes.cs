using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using MailCluster.Benchmarks.Report;
using MailCluster.Storage.Directories;

namespace MailCluster.Benchmarks;

/// <summary>
/// Whether the time of an answer tells who exists: log-ins with wrong passwords of users of several kinds, one after the other in random order, each from an address of its own, so that none
/// waits for guesses before it.
/// </summary>
internal static class GuessTimes
{
    private static readonly string[] Kinds = ["has a password", "unknown", "of an unknown domain", "has none"];

    private static int _addresses;

    public static Command Command()
    {
        var attempts = new Option<int>("--attempts") { Description = "How many users of each kind.", DefaultValueFactory = static _ => 300 };
        var command = new Command("guess", "Whether the time of a refused log-in tells who exists.") { attempts };
        command.SetAction(result => RunAsync(result.GetValue(attempts)));
        return command;
    }

    private static async Task<int> RunAsync(int attempts)
    {
        await using BenchCluster cluster = await BenchCluster.StartAsync(apart: false, strangers: true);
        var server = new IPEndPoint(IPAddress.Loopback, cluster.FrontEnd.ImapPort);
        string verifier = ScramVerifier.Create(BenchCluster.Password);
        // What comes first compiles the code.
        await MeasureAsync("warm-up", 100);
        var table = new Table(["wrong password", "first ms: p50", .. Kinds[1..].Select(static k => $"{k}: ratio p50, p90"), "again ms: p50", .. Kinds[1..].Select(static k => $"{k}: ratio p50, p90")]);
        foreach ((string way, List<double>[][] visits) in await MeasureAsync("guess", attempts))
            table.Add([way, .. visits.SelectMany(static kinds => kinds[1..].Select(k => $"{Ratio(k, kinds[0], 0.5)}, {Ratio(k, kinds[0], 0.9)}").Prepend(Of(kinds[0], 0.5).ToString("0.00", CultureInfo.InvariantCulture)))]);
        Console.WriteLine(table);
        return 0;

        async Task<List<(string Way, List<double>[][] Visits)>> MeasureAsync(string name, int count)
        {
            List<double>[][] login = Empty(), salt = Empty(), proof = Empty();
            foreach (string way in new[] { "login", "scram" })
            {
                string[][] users = [.. Kinds.Select((_, kind) => Enumerable.Range(0, count).Select(i => $"{name}-{way}-{kind}-{i:0000}@{(kind == 2 ? "none" : "test")}.example").ToArray())];
                foreach (string user in users[0])
                    await AddAsync(user, verifier);
                foreach (string user in users[3])
                    await AddAsync(user, null);
                for (int visit = 0; visit < 2; visit++)
                {
                    (int Kind, string User)[] order = [.. users.SelectMany(static (of, kind) => of.Select(user => (kind, user)))];
                    Random.Shared.Shuffle(order);
                    foreach ((int kind, string user) in order)
                    {
                        using Client client = await Client.ConnectAsync(server, NextAddress());
                        if (way == "login")
                            login[visit][kind].Add((await client.AskAsync($"a LOGIN {user} \"not it\"", "a NO ")).Milliseconds);
                        else
                        {
                            (string first, double first1) = await client.AskAsync("a AUTHENTICATE SCRAM-SHA-256 " + Base64($"n,,n={user},r=c0ffee"), "+ ");
                            string nonce = Encoding.UTF8.GetString(Convert.FromBase64String(first[2..])).Split(',')[0];
                            salt[visit][kind].Add(first1);
                            proof[visit][kind].Add((await client.AskAsync(Base64($"c=biws,{nonce},p={Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))}"), "a NO ")).Milliseconds);
                        }
                    }
                }
            }
            return [("LOGIN", login), ("SCRAM-SHA-256: salt", salt), ("SCRAM-SHA-256: refusal of the proof", proof)];
        }

        async Task AddAsync(string user, string? stored)
        {
            if ((await cluster.Accounts.Accounts.AddAsync(user, stored)).Error is { } error)
                throw new InvalidOperationException(error.Text);
        }
    }

    private static List<double>[][] Empty() => [[.. Kinds.Select(static _ => new List<double>())], [.. Kinds.Select(static _ => new List<double>())]];

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static IPAddress NextAddress()
    {
        int next = ++_addresses;
        return new IPAddress([127, (byte)(1 + (next >> 16)), (byte)(next >> 8), (byte)next]);
    }

    private static double Of(List<double> values, double part) => values.Order().ElementAt((int)(values.Count * part));

    private static string Ratio(List<double> values, List<double> to, double part) => (Of(values, part) / Of(to, part)).ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>One connection from one address.</summary>
    private sealed class Client(TcpClient tcp) : IDisposable
    {
        private readonly StreamReader _reader = new(tcp.GetStream(), Encoding.Latin1);

        public static async Task<Client> ConnectAsync(IPEndPoint server, IPAddress from)
        {
            var tcp = new TcpClient(new IPEndPoint(from, 0)) { NoDelay = true };
            await tcp.ConnectAsync(server);
            var client = new Client(tcp);
            await client._reader.ReadLineAsync();
            return client;
        }

        /// <summary>Sends a line and waits for one that begins so.</summary>
        public async Task<(string Line, double Milliseconds)> AskAsync(string line, string expected)
        {
            byte[] octets = Encoding.ASCII.GetBytes(line + "\r\n");
            long started = Stopwatch.GetTimestamp();
            await tcp.GetStream().WriteAsync(octets);
            string? answer = await _reader.ReadLineAsync();
            double took = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            return answer?.StartsWith(expected, StringComparison.Ordinal) == true ? (answer, took) : throw new InvalidOperationException($"'{answer}' is no '{expected}'");
        }

        public void Dispose()
        {
            _reader.Dispose();
            tcp.Dispose();
        }
    }
}
