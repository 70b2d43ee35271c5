using System.Diagnostics;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload;

/// <summary>An administrator of two tenants: they share, and for some seconds they do not, again and again; in the end they do.</summary>
internal sealed class Consenting(WorkloadOptions options, Func<bool, Task<bool>> change)
{
    // Whatever a statement without an answer does it has done by then.
    private static readonly TimeSpan _unsure = TimeSpan.FromSeconds(2);

    // Owners hear of the end by a notice: what a session has selected it may read for so long after the administrator's answer.
    private static readonly TimeSpan _heard = TimeSpan.FromSeconds(1);

    private readonly Random _random = new(unchecked(options.Seed * 1_000_003));
    private readonly string[] _guests = [.. options.Guests];
    private readonly string[] _hosts = [.. options.Accounts.Select(static a => a.User).Except(options.Guests)];

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await PauseAsync(3_000, 9_000, stop);
            await ChangeAsync(false);
            await PauseAsync(2_000, 4_000, stop);
            await ChangeAsync(true);
        }
    }

    /// <summary>Until it is known to be so.</summary>
    public async Task ChangeAsync(bool given)
    {
        for (bool done = false; !done;)
        {
            long number = options.Recorder.NextNumber(), invoked = Stopwatch.GetTimestamp();
            done = await change(given);
            if (done && !given)
                await Task.Delay(_heard);
            options.Recorder.Add(new Operation(
                number, 0, "administrator", invoked, done ? Stopwatch.GetTimestamp() : long.MaxValue, done ? Outcome.Ok : Outcome.Unknown, null, new Consent(_hosts, _guests, given), [],
                given ? "tenant sharing add" : "tenant sharing delete"));
            if (!done)
                await Task.Delay(_unsure);
        }
    }

    private Task PauseAsync(int least, int most, CancellationToken stop) => Task.Delay(_random.Next(least, most), stop).ContinueWith(static _ => { }, TaskScheduler.Default);
}
