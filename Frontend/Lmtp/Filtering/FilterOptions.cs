using MailCluster.Sieve;
using MailCluster.Sieve.Running;

namespace MailCluster.Lmtp.Filtering;

/// <summary>Filters at delivery (Sieve, RFC 5228).</summary>
public sealed record FilterOptions
{
    /// <summary>Mail can leave: there is a relay. Without one, scripts that need it are not valid.</summary>
    public bool Outgoing { get; init; }

    public SieveLimits Limits { get; init; } = SieveLimits.Default;

    /// <summary>Messages that may leave for one account in a day. Default 200: what people get, not what a loop makes.</summary>
    public int OutgoingADay { get; init; } = 200;

    /// <summary>Octets of a message's header that scripts see. Default 256 KB.</summary>
    public int HeaderOctets { get; init; } = 256 * 1024;

    /// <summary>Received fields of a message that is still redirected or answered. Default 50: beyond it mail runs in a circle (RFC 5321 §6.3 asks for 100 at least for all hops).</summary>
    public int Hops { get; init; } = 50;

    /// <summary>Octets that compiled scripts take at most. Default 32 MB: some thousand scripts.</summary>
    public long CacheOctets { get; init; } = 32 * 1024 * 1024;

    public SpamFields Spam { get; init; } = new();

    /// <summary>Between two vacation replies to one sender where a script says :days. Default 1 day.</summary>
    public TimeSpan VacationAtLeast { get; init; } = TimeSpan.FromDays(1);

    /// <summary>The same where it says :seconds. Default 10 minutes.</summary>
    public TimeSpan VacationSecondsAtLeast { get; init; } = TimeSpan.FromMinutes(10);
}
