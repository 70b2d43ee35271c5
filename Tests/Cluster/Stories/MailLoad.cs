using System.Diagnostics;
using System.Text.RegularExpressions;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Cluster.Stories;

/// <summary>
/// Ten clients that append and flag without a pause through both front ends, six in mailboxes of their own, four in one that they share; and a watcher of the
/// shared mailbox and of another, each in IDLE, who sees that UIDs only rise.
/// </summary>
internal sealed partial class MailLoad : IAsyncDisposable
{
    private const int Clients = 10;
    private const int Sharing = 4;

    private readonly MailNodes _nodes;
    private readonly string _name = Guid.NewGuid().ToString("N")[..8];
    private readonly List<LoadSession> _sessions = [];
    private readonly List<Task> _tasks = [];
    private readonly List<Task> _watchers = [];
    private readonly int[] _done = new int[Clients];
    private readonly List<(int[] Until, TaskCompletionSource Reached)> _awaited = [];
    private readonly Lock _gate = new();
    private volatile bool _stop;

    private MailLoad(MailNodes nodes) => _nodes = nodes;

    public Ledger Ledger { get; } = new();

    /// <summary>The connections that ended: the number of their front end, and whether BYE was said.</summary>
    public List<(int Front, bool Bye)> Ended { get; } = [];

    public static async Task<MailLoad> StartAsync(MailNodes nodes)
    {
        var load = new MailLoad(nodes);
        string shared = await nodes.Accounts.AddAsync();
        for (int i = 0; i < Clients; i++)
            load._sessions.Add(new LoadSession(nodes, i < Sharing ? shared : await nodes.Accounts.AddAsync(), i % 2));
        var watchers = new[] { new LoadSession(nodes, shared, 0), new LoadSession(nodes, load._sessions[^1].User, 0) };
        foreach (LoadSession session in load._sessions.Concat(watchers))
            await session.ConnectAsync();
        for (int i = 0; i < Clients; i++)
        {
            int number = i;
            load._tasks.Add(Task.Run(() => load.WriteAsync(number)));
        }
        load._watchers.AddRange(watchers.Select(w => Task.Run(() => load.WatchAsync(w))));
        load._sessions.AddRange(watchers);
        return load;
    }

    /// <summary>Returns when every client has had so many further answers.</summary>
    public async Task FurtherAsync(int answers)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
            _awaited.Add(([.. _done.Select(d => d + answers)], reached));
        Task ended = await Task.WhenAny([reached.Task, .. _tasks, .. _watchers]);
        await ended;
        Assert.True(ended == reached.Task, "A client ended before the load was stopped");
    }

    /// <summary>Stops the clients, then looks at every mailbox, through the front end of each client.</summary>
    public async Task StopAndCheckAsync()
    {
        _stop = true;
        await Task.WhenAll(_tasks);
        // A last message each, which ends the watchers' IDLE.
        for (int i = 0; i < Clients; i++)
            await AppendAsync(_sessions[i], $"last.{i}.{_name}");
        await Task.WhenAll(_watchers);
        for (int i = 0; i < Clients; i++)
            await Ledger.CheckAsync(_sessions[i]);
    }

    public async ValueTask DisposeAsync()
    {
        _stop = true;
        foreach (LoadSession session in _sessions)
            await session.DisposeAsync();
        // Their connections are gone: they end, one way or the other.
        await Task.WhenAll([.. _tasks, .. _watchers]).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task WriteAsync(int number)
    {
        LoadSession session = _sessions[number];
        for (int i = 0; !_stop; i++)
        {
            string id = $"{number}.{i}.{_name}";
            try
            {
                if (await AppendAsync(session, id) is not { } uid)
                    continue;
                Advance(number);
                string answer = await TimedAsync(session, $@"UID STORE {uid} +FLAGS (\Flagged)");
                if (answer.StartsWith("OK", StringComparison.Ordinal))
                    Ledger.Messages[id] = new Sent(session.User, uid, true);
                Advance(number);
            }
            catch (ConnectionEndedException e) when (!_stop)
            {
                await EndedAsync(session, e);
            }
        }
    }

    /// <summary>The UID; null when the answer was NO [UNAVAILABLE].</summary>
    private async Task<uint?> AppendAsync(LoadSession session, string id)
    {
        Ledger.Messages[id] = new Sent(session.User, null, false);
        string message = $"Message-ID: <{id}>\r\nSubject: {id}\r\n\r\n{id}\r\n";
        string answer = await TimedAsync(session, $"APPEND INBOX {{{message.Length}+}}\r\n{message}");
        if (!answer.StartsWith("OK", StringComparison.Ordinal))
            return null;
        uint uid = uint.Parse(AppendUid().Match(answer).Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        Ledger.Messages[id] = new Sent(session.User, uid, false);
        return uid;
    }

    private async Task<string> TimedAsync(LoadSession session, string command)
    {
        long start = Stopwatch.GetTimestamp();
        (string answer, _) = await session.CommandAsync(command);
        Ledger.Took(start);
        if (answer.StartsWith("NO [UNAVAILABLE]", StringComparison.Ordinal))
            Interlocked.Increment(ref Ledger.Unavailable);
        else
            Assert.True(answer.StartsWith("OK", StringComparison.Ordinal), $"{command}: {answer}");
        return answer;
    }

    private async Task WatchAsync(LoadSession session)
    {
        var seen = new List<uint>();
        while (true)
        {
            bool last = _stop;
            try
            {
                (string answer, IReadOnlyList<string> lines) = await session.CommandAsync("UID SEARCH ALL");
                if (!answer.StartsWith("NO [UNAVAILABLE]", StringComparison.Ordinal))
                {
                    List<uint> now = [.. lines.Single(static l => l.StartsWith("* SEARCH", StringComparison.Ordinal))[8..]
                        .Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(uint.Parse)];
                    Assert.True(now.Take(seen.Count).SequenceEqual(seen), $"A UID came late or went: {string.Join(' ', seen)} became {string.Join(' ', now)}");
                    seen = now;
                }
                if (last)
                    return;
                await session.IdleUntilAsync(" EXISTS");
            }
            catch (ConnectionEndedException e) when (!_stop)
            {
                await EndedAsync(session, e);
            }
        }
    }

    private async Task EndedAsync(LoadSession session, ConnectionEndedException e)
    {
        lock (_gate)
            Ended.Add((session.Front, e.Bye));
        await session.MoveAsync();
    }

    private void Advance(int number)
    {
        List<TaskCompletionSource> reached = [];
        lock (_gate)
        {
            _done[number]++;
            reached.AddRange(_awaited.Where(a => a.Until.Zip(_done).All(static x => x.Second >= x.First)).Select(static a => a.Reached));
        }
        foreach (TaskCompletionSource one in reached)
            one.TrySetResult();
    }

    [GeneratedRegex(@"APPENDUID \d+ (\d+)\]")]
    private static partial Regex AppendUid();
}
