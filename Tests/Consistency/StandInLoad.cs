using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using MailCluster.Consistency.Faults;
using MailCluster.Tests.Support;

namespace MailCluster.Consistency;

/// <summary>Clients that append and look.</summary>
internal sealed class StandInLoad(IReadOnlyList<IPEndPoint> doors, IReadOnlyList<(string User, string Password)> accounts, int clients) : ILoad, IAsyncDisposable
{
    private readonly ConcurrentQueue<(long At, TimeSpan Took, bool Unavailable)> _took = [];
    private readonly ConcurrentQueue<(long At, Ended Ended)> _ended = [];

    public Task RunAsync(CancellationToken stop) => Task.WhenAll(Enumerable.Range(0, clients).Select(i => Task.Run(() => ClientAsync(i, stop))));

    public Delays Since(long moment)
    {
        var took = _took.Where(t => t.At + t.Took.Ticks >= moment).ToList();
        TimeSpan[] sorted = [.. took.Select(static t => t.Took).Order()];
        TimeSpan At(double part) => sorted.Length == 0 ? TimeSpan.Zero : sorted[(int)((sorted.Length - 1) * part)];
        return new Delays(sorted.Length, At(0.5), At(0.99), At(1), took.Count(static t => t.Unavailable));
    }

    public IReadOnlyList<Ended> EndedSince(long moment) => [.. _ended.Where(e => e.At >= moment).Select(static e => e.Ended)];

    public Task SlowClientAsync(TimeSpan duration, CancellationToken stop) => Task.CompletedTask;

    public Task ReconnectStormAsync(int count, CancellationToken stop) => Task.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task ClientAsync(int number, CancellationToken stop)
    {
        for (int round = number; !stop.IsCancellationRequested; round++)
        {
            IPEndPoint door = doors[round % doors.Count];
            try
            {
                (string user, string password) = accounts[number % accounts.Count];
                await using ImapClient client = await ImapClient.LoggedInAsync(door, user, password);
                await client.Run("s SELECT INBOX");
                while (!stop.IsCancellationRequested)
                {
                    long start = Stopwatch.GetTimestamp();
                    await client.SendRaw("a APPEND INBOX {4+}\r\na\r\n\r\n");
                    (string tagged, _) = await client.Answer("a");
                    _took.Enqueue((start, Stopwatch.GetElapsedTime(start), tagged.Contains("UNAVAILABLE", StringComparison.Ordinal)));
                }
            }
            catch (Exception e) when (e is IOException or SocketException or UnexpectedReplyException)
            {
                _ended.Enqueue((Stopwatch.GetTimestamp(), new Ended(number, door.ToString(), false, e.Message)));
                await Task.Delay(100, CancellationToken.None);
            }
        }
    }
}
