using MailCluster.Contracts;
using MailCluster.Storage.Membership;
using Orleans.Runtime;

namespace MailCluster.Server.Hosting;

/// <summary>
/// Ends a silo that can't reach PostgreSQL while another one can: it holds mailboxes that others could serve. Where nobody reaches PostgreSQL everyone stays, and
/// goes on when it is back.
/// </summary>
internal sealed partial class LoneSilo(
    MembershipWatch watch, IGrainFactory grains, ILocalSiloDetails self, IFatalErrorHandler fatal, NodeState state, TimeProvider time, ILogger<LoneSilo> log) : BackgroundService
{
    /// <summary>When PostgreSQL was not reached for so long it asks; a look that fails has lasted a second already.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan _every = TimeSpan.FromSeconds(1);

    /// <summary>So often in a row others must reach it: after an outage some come back before others.</summary>
    private const int Often = 3;

    /// <summary>It ends soon, whether others could note it or not.</summary>
    private static readonly TimeSpan _farewell = TimeSpan.FromSeconds(1);

    /// <summary>So many random silos are asked, of whom one may be this one.</summary>
    private const int Witnesses = 8;

    /// <summary>What the log was told of this outage: it is told once, and when it is no longer so.</summary>
    private bool? _told;

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        long seen = 0;
        int alone = 0;
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(_every, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (watch.MayRead || (seen != 0 && !watch.IsUnreachable))
                (seen, alone, _told) = (time.GetTimestamp(), 0, null);
            // Before the first look it starts, and has nothing yet.
            else if (seen != 0 && !state.Draining && time.GetElapsedTime(seen) > _patience)
                alone = await OthersSeeAsync() ? alone + 1 : 0;
            if (alone == Often)
            {
                await Task.WhenAny(BuryAsync(), Task.Delay(_farewell, time, stop));
                fatal.OnFatalException(this, "PostgreSQL can be reached from other silos, not from this one", null);
                return;
            }
        }
    }

    private async Task<bool> OthersSeeAsync()
    {
        StoreSighting?[] sightings = await Task.WhenAll(Enumerable.Range(0, Witnesses).Select(_ => AskAsync<StoreSighting?>(async w => await w.Look())));
        bool others = sightings.Any(s => s is { Sees: true } one && one.Silo != self.SiloAddress.ToParsableString());
        if (_told != others)
            LogAsked(others ? "others reach it" : "nobody else does");
        _told = others;
        return others;
    }

    /// <summary>Those who reach PostgreSQL note the death there: others would need three probes to find it out.</summary>
    private async Task BuryAsync()
    {
        for (int i = 0; i < Witnesses; i++)
        {
            if (await AskAsync(w => w.Bury(self.SiloAddress)))
                return;
        }
    }

    private async Task<T?> AskAsync<T>(Func<IStoreWitness, ValueTask<T>> question)
    {
        try
        {
            return await question(grains.GetGrain<IStoreWitness>(Guid.NewGuid()));
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            return default;
        }
    }

    [LoggerMessage(LogLevel.Warning, "PostgreSQL has not been reached for some seconds; {Answer}")]
    private partial void LogAsked(string answer);
}
