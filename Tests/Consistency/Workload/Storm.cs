using System.Diagnostics;
using MailCluster.Consistency.Client;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload;

/// <summary>How a storm of log-ins went.</summary>
/// <param name="In">Sessions that were logged in at last; the others were not within the bound.</param>
/// <param name="Refused">Attempts that were answered with NO or BYE.</param>
/// <param name="Dropped">Attempts that ended without a word.</param>
/// <param name="Longest">From the beginning until the last one was in.</param>
internal sealed record StormFigures(int Sessions, int In, int Refused, int Dropped, TimeSpan P99, TimeSpan Longest);

/// <summary>Many log-ins at once. Each session stays a second, as a client does that looks whether there is new mail.</summary>
internal static class Storm
{
    // As long as a person waits; hundreds of passwords are checked meanwhile, and an account has a limit of sessions.
    private static readonly TimeSpan _bound = TimeSpan.FromSeconds(60);

    public static async Task<StormFigures> RunAsync(
        SessionContext context, IReadOnlyList<FrontEndAddress> frontEnds, IReadOnlyList<AccountState> accounts, int sessions)
    {
        long number = context.Recorder.NextNumber();
        long began = Stopwatch.GetTimestamp();
        int refused = 0;
        int dropped = 0;
        TimeSpan?[] times = await Task.WhenAll(Enumerable.Range(0, sessions).Select(n => Task.Run(() => EnterAsync(n))));
        TimeSpan[] entered = [.. times.OfType<TimeSpan>().Order()];
        Record(context, number, began, sessions, entered.Length, dropped);
        return new StormFigures(sessions, entered.Length, refused, dropped, entered.ElementAtOrDefault((int)(entered.Length * 0.99)), entered.LastOrDefault());

        async Task<TimeSpan?> EnterAsync(int number)
        {
            AccountState account = accounts[number % accounts.Count];
            for (int attempt = 0; Stopwatch.GetElapsedTime(began) < _bound; attempt++)
            {
                FrontEndAddress frontEnd = frontEnds[(number + attempt) % frontEnds.Count];
                (ImapSession? session, LogIn how) = await Connector.TryOpenAsync(context, frontEnd.Imap, account.User, account.Password, Resync.None);
                if (session is not null)
                {
                    TimeSpan time = Stopwatch.GetElapsedTime(began);
                    await session.RunAsync(new Command("STATUS", "INBOX (MESSAGES UNSEEN)") { Act = static _ => new Read("STATUS", null) });
                    await Task.Delay(1000);
                    await session.LeaveAsync();
                    return time;
                }
                if (how == LogIn.Refused)
                    Interlocked.Increment(ref refused);
                else if (how == LogIn.Dropped)
                    Interlocked.Increment(ref dropped);
                await Task.Delay(Random.Shared.Next(200, 1500));
            }
            return null;
        }
    }

    private static void Record(SessionContext context, long number, long began, int sessions, int entered, int dropped)
    {
        long now = Stopwatch.GetTimestamp();
        Seen[] seen = entered == sessions && dropped == 0
            ? []
            : [new SeenBreach(now, null, "storm", $"of {sessions} clients {entered} were in after {_bound.TotalSeconds} s; {dropped} attempts ended without a word")];
        int session = context.Recorder.NextSession();
        context.Recorder.Add(new SessionFacts(session, "", "", static () => "the log-ins are sessions of their own"));
        context.Recorder.Add(new Operation(number, session, "", began, now, Outcome.Ok, null, new Read("STORM", null), seen, $"{sessions} log-ins"));
    }
}
