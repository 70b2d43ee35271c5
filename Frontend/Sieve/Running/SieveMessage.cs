using System.Net;

namespace MailCluster.Sieve.Running;

/// <summary>What a script is run for.</summary>
/// <param name="Size">Octets of the whole message.</param>
/// <param name="Sender">Of the envelope; empty for bounces.</param>
/// <param name="Recipient">Of the envelope, as the message came to this account (with its sub-address).</param>
public sealed record SieveMessage(MessageHeader Header, long Size, string Sender, string Recipient, DateTimeOffset Received);

/// <summary>Whose script it is, and where it runs.</summary>
/// <param name="Address">The account's own.</param>
/// <param name="Addresses">All addresses that are known to lead to it, its own among them.</param>
/// <param name="HostName">Of the server (RFC 5183: host, domain).</param>
/// <param name="Client">Who brought the message (RFC 5183: remote-host, remote-ip).</param>
public sealed record SieveSetting(string Address, IReadOnlyList<string> Addresses, string HostName, (string Name, IPAddress? Address) Client)
{
    /// <summary>Where a spam filter has left its result (RFC 5235).</summary>
    public SpamFields Spam { get; init; } = new();

    /// <summary>Vacation replies to one sender are this far apart at least. Default 1 day where a script says :days, RFC 5230 §4.1.</summary>
    public TimeSpan VacationAtLeast { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Where a script says :seconds (RFC 6131 §2). Default 10 minutes.</summary>
    public TimeSpan VacationSecondsAtLeast { get; init; } = TimeSpan.FromMinutes(10);
}

/// <summary>What the store knows and a script may ask. The host shows its own account and nothing else.</summary>
public interface ISieveHost
{
    /// <summary>The beginning of the message, up to so many octets.</summary>
    ValueTask<ReadOnlyMemory<byte>> ReadAsync(int octets, CancellationToken cancellationToken);

    /// <summary>RFC 5490 §3.1: it exists and mail can be filed into it.</summary>
    ValueTask<bool> MailboxExistsAsync(string name, CancellationToken cancellationToken);

    /// <summary>RFC 5490 §3.4, §3.6: the value of an annotation of a mailbox, or of the server (null), as the owner reads it; null: there is none.</summary>
    ValueTask<string?> MetadataAsync(string? mailbox, string entry, CancellationToken cancellationToken);

    /// <summary>RFC 9042 §4.</summary>
    ValueTask<bool> MailboxIdExistsAsync(string id, CancellationToken cancellationToken);

    /// <summary>RFC 8579 §3: a mailbox has the use, or <paramref name="name"/> has it.</summary>
    ValueTask<bool> SpecialUseExistsAsync(string? name, string use, CancellationToken cancellationToken);

    /// <summary>RFC 7352: an earlier delivery that has come to its end left this mark, and its time is not over.</summary>
    ValueTask<bool> IsMarkedAsync(string mark, CancellationToken cancellationToken);

    /// <summary>RFC 6609: null where there is no such script, or it is not valid.</summary>
    ValueTask<SieveScript?> IncludeAsync(IncludedScript script, CancellationToken cancellationToken);
}
