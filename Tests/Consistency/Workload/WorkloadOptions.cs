using System.Net;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Workload;

/// <summary>Where a front end listens.</summary>
/// <param name="Lmtp">Null: it takes no deliveries.</param>
/// <param name="Pop3">Null: no client comes by POP3.</param>
internal sealed record FrontEndAddress(EndPoint Imap, EndPoint? Lmtp, EndPoint? Pop3 = null);

/// <summary>What the clients of a run are.</summary>
/// <param name="Seed">Each client's choices follow from it and the client's number; what the server answers, and when, does not.</param>
/// <param name="Clients">Connections at a time.</param>
/// <param name="FrontEnds">Used in turn; a client whose connection ended takes the next.</param>
/// <param name="Accounts">Clients share them: client n works in account n modulo their number. Four clients an account meet often.</param>
internal sealed record WorkloadOptions(
    int Seed, int Clients, IReadOnlyList<FrontEndAddress> FrontEnds, IReadOnlyList<(string User, string Password)> Accounts, Recorder Recorder)
{
    /// <summary>The mailboxes that an account has at first, besides INBOX.</summary>
    public IReadOnlyList<string> Mailboxes { get; init; } = ["red", "green", "blue"];

    /// <summary>How long a client waits between two commands, on average.</summary>
    public TimeSpan Think { get; init; } = TimeSpan.FromMilliseconds(5);

    /// <summary>Without an octet for so long where an answer is due is a violation.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>An account's mailboxes are created, deleted and renamed no oftener.</summary>
    public TimeSpan Renaming { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Messages of a mailbox, above which clients expunge more.</summary>
    public int Crowd { get; init; } = 150;

    /// <summary>All accounts work in one mailbox of the first as well. For clusters whose namespace of other users is <see cref="SharedNames.Namespace"/>.</summary>
    public bool Shares { get; init; }

    /// <summary>Those of <see cref="Accounts"/> that are another tenant's.</summary>
    public IReadOnlyList<string> Guests { get; init; } = [];

    /// <summary>Makes the two tenants share (true), or not; false where it is not known whether that was done. Null: they do not.</summary>
    public Func<bool, Task<bool>>? Consent { get; init; }

    /// <summary>Sends some deliveries twice: the server promises to store identical ones once. Off for servers that do not.</summary>
    public bool Redelivers { get; init; } = true;

    /// <summary>The accounts have the filter <see cref="Deeds.Delivering.Filter"/>.</summary>
    public bool Filters { get; init; } = true;
}
