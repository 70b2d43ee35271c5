using System.Diagnostics;
using System.Net;
using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload;

/// <summary>
/// A client that only listens: NOTIFY (RFC 5465) of all mailboxes of an account, in IDLE and between commands. When its connection ends, or the server has too much to tell, it begins anew.
/// What it was told must be the account when all is quiet.
/// </summary>
internal sealed class Listener(int number, WorkloadOptions options, SessionContext context, AccountState account)
{
    private const string Kind = "settle";

    /// <summary>What was missed must have come by then: front ends look at what they watch, unasked, within the time that a registration at the account's owner holds (45 s).</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(75);

    private readonly Random _random = new(unchecked((options.Seed * 1_000_003) - number - 1));
    // What is read to compare with is no part of the history.
    private readonly SessionContext _aside = context with { Recorder = new Recorder(), Registry = new MailboxRegistry() };
    private ToldAccount _told = new();
    private ImapSession? _session;
    private bool _begins = true;
    private int _frontEnd = number;

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && !await IsUselessAsync())
            await StepAsync(stop);
    }

    /// <summary>Waits until it has been told all that is so now; null, or what it was not told in time.</summary>
    public async Task<string?> SettleAsync()
    {
        long began = Stopwatch.GetTimestamp();
        string missing = "no session";
        while (Stopwatch.GetElapsedTime(began) < Patience)
        {
            if (await IsUselessAsync())
                return null;
            using var pause = new CancellationTokenSource(TimeSpan.FromMilliseconds(500));
            await StepAsync(pause.Token);
            if (_session is not { HasEnded: false } session || _begins || await NowAsync(session) is not { } now)
                continue;
            // Not from memory: the last thing that it was told.
            await session.RunAsync(new Command("NOOP") { Act = static _ => new Read(Kind, null) });
            missing = string.Join("; ", _told.Differences(now, options.Consent is null ? [] : [Sharing.Mailbox, Sharing.Visited]));
            if (missing.Length == 0)
                return null;
        }
        return $"NOTIFY has not told {account.User} at {_session?.FrontEnd}: {missing}";
    }

    public Task LeaveAsync() => _session is { HasEnded: false } session ? session.LeaveAsync() : Task.CompletedTask;

    /// <summary>Whether the server has no NOTIFY.</summary>
    private async Task<bool> IsUselessAsync()
    {
        if (_session is not { HasEnded: false })
        {
            _session = await Connector.OpenAsync(context, options.FrontEnds[_frontEnd++ % options.FrontEnds.Count].Imap, account.User, account.Password, Resync.CondStore);
            _begins = true;
            if (_session is null)
                await Task.Delay(500);
        }
        return _session is { HasEnded: false } session && !session.Can("NOTIFY");
    }

    private async Task StepAsync(CancellationToken stop)
    {
        if (_session is not { HasEnded: false } session)
            return;
        if (_begins)
        {
            var told = new ToldAccount();
            session.Heard = response => Hear(told, response);
            session.Model.HasNotify = true;
            _begins = false;
            Answer answer = await session.RunAsync(new Command("NOTIFY", "SET STATUS (PERSONAL (MessageNew MessageExpunge FlagChange MailboxName))") { Act = static _ => new Read("NOTIFY", null) });
            _told = told;
            _begins |= !answer.IsOk;
        }
        await session.DrainAsync();
        if (_random.NextDouble() < 0.2)
            await session.RunAsync(new Command("NOOP") { Act = static _ => new Read("NOOP", null) });
        using var done = CancellationTokenSource.CreateLinkedTokenSource(stop);
        done.CancelAfter(_random.Next(500, 4_000));
        await session.IdleAsync(done.Token);
    }

    private void Hear(ToldAccount told, Response response)
    {
        // The server has ended what was asked for (RFC 5465 §5.8).
        if (response.Code?.Name == "NOTIFICATIONOVERFLOW")
            _begins = true;
        else
            told.Hear(response);
    }

    /// <summary>STATUS of all mailboxes, from a session of its own that was told nothing; null where they can't be had.</summary>
    private async Task<IReadOnlyDictionary<string, IReadOnlyDictionary<string, long>>?> NowAsync(ImapSession listening)
    {
        EndPoint server = options.FrontEnds[_random.Next(options.FrontEnds.Count)].Imap;
        if (await Connector.OpenAsync(_aside, server, account.User, account.Password, Resync.None) is not { } session)
            return null;
        Answer list = await session.RunAsync(new Command("LIST", "\"\" \"*\"") { Act = static _ => new Read(Kind, null) });
        var now = new Dictionary<string, IReadOnlyDictionary<string, long>>();
        foreach ((Response response, _) in list.Untagged)
        {
            if (response is not { Name: "LIST", Arguments: [var attributes, _, { Text: { } name }, ..] } || attributes.Items.Any(static a => a.Is(@"\Noselect")))
                continue;
            // PERSONAL are the user's own.
            if (name.StartsWith(SharedNames.Namespace + "/", StringComparison.Ordinal))
                continue;
            Answer status = await session.RunAsync(new Command("STATUS", $"\"{name}\" (MESSAGES UIDNEXT UIDVALIDITY UNSEEN HIGHESTMODSEQ)") { Act = static _ => new Read(Kind, null) });
            foreach ((Response told, _) in status.Untagged.Where(static u => u.Response.Name == "STATUS"))
                now[name] = Counts.Status(told).Values.Where(static v => v.Value.Number is not null).ToDictionary(static v => v.Key.ToUpperInvariant(), static v => v.Value.Number!.Value);
        }
        bool isWhole = list.IsOk && !session.HasEnded && !listening.HasEnded;
        await session.LeaveAsync();
        return isWhole ? now : null;
    }
}
