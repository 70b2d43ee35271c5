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
    public static async Task<StormFigures> RunAsync(
        SessionContext context, IReadOnlyList<FrontEndAddress> frontEnds, IReadOnlyList<AccountState> accounts, int sessions, TimeSpan bound)
    {
        long began = Stopwatch.GetTimestamp();
        int refused = 0;
        int dropped = 0;
        TimeSpan?[] times = await Task.WhenAll(Enumerable.Range(0, sessions).Select(n => Task.Run(() => EnterAsync(n))));
        TimeSpan[] entered = [.. times.OfType<TimeSpan>().Order()];
        return new StormFigures(sessions, entered.Length, refused, dropped, entered.ElementAtOrDefault((int)(entered.Length * 0.99)), entered.LastOrDefault());

        async Task<TimeSpan?> EnterAsync(int number)
        {
            AccountState account = accounts[number % accounts.Count];
            for (int attempt = 0; Stopwatch.GetElapsedTime(began) < bound; attempt++)
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
}
