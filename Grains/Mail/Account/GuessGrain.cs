using MailCluster.Contracts;
using Microsoft.Extensions.Options;

namespace MailCluster.Grains;

/// <summary>Failed log-ins by address, for the addresses of one shard.</summary>
[GrainType("guess")]
public sealed class GuessGrain(IOptions<AccountOptions> options, TimeProvider time) : Grain, IGuessGrain
{
    /// <summary>Addresses of a shard; some 2 MB. When there are more, those that were quiet for longest are forgotten.</summary>
    private const int Most = 10_000;

    private readonly Dictionary<string, Turnstile> _addresses = [];

    public ValueTask<TimeSpan?> Take(string address)
    {
        TimeSpan now = time.GetElapsedTime(0);
        if (!_addresses.TryGetValue(address, out Turnstile? line))
        {
            if (_addresses.Count >= Most)
            {
                foreach (string old in _addresses.OrderBy(static a => a.Value.Used).Take(Most / 4).Select(static a => a.Key).ToList())
                    _addresses.Remove(old);
            }
            line = _addresses[address] = new Turnstile(options.Value.FirstDelay, options.Value.LongestDelay, options.Value.ForgivenPerAddress);
        }
        TimeSpan? wait = line.Take(now);
        if (wait is not null)
            line.Failed(now);
        return ValueTask.FromResult(wait);
    }

    public ValueTask WasRight(string address)
    {
        _addresses.GetValueOrDefault(address)?.Forgive();
        return ValueTask.CompletedTask;
    }
}
