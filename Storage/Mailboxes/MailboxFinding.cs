using MailCluster.Contracts;

namespace MailCluster.Storage.Mailboxes;

/// <summary>What <see cref="MailboxCheck"/> finds wrong.</summary>
public enum MailboxFindingKind
{
    /// <summary>A counter of the mailbox's row (messages, unseen, deleted, bytes) is not what its messages add up to. Repairable.</summary>
    Counter,

    /// <summary>UIDNEXT is not above every UID that was ever given out here. Repairable.</summary>
    UidNext,

    /// <summary>HIGHESTMODSEQ is below a modseq of a message or of the log. Repairable.</summary>
    HighestModSeq,

    /// <summary>The first recent UID or the floor of the log lies outside the mailbox. Repairable.</summary>
    Mark,

    /// <summary>Messages without a row of flags: their owner does not see them. Repairable: they come back without flags, and sessions that are there end.</summary>
    FlagsMissing,

    /// <summary>Rows of flags without a message. Repairable.</summary>
    FlagsOrphaned,

    /// <summary>Messages of a mailbox that does not exist.</summary>
    MailboxMissing,

    /// <summary>A message without its email, body, or parsed content, or whose sizes differ.</summary>
    Body,

    /// <summary>A body whose octets are not those that were stored.</summary>
    Checksum,

    /// <summary>An account's usage is not the sum of its messages. Repairable.</summary>
    AccountUsage,

    /// <summary>A charged tenant's usage is not the sum of its accounts'. Repairable.</summary>
    TenantUsage,

    /// <summary>A body that nothing refers to, older than the collector lets one become. Repairable: the collector is told of it.</summary>
    BodyOrphaned,
}

/// <summary>One thing that is wrong.</summary>
/// <param name="User">Whose; null for what belongs to no account.</param>
/// <param name="Mailbox">The mailbox's path, segments joined by '/'; null for what belongs to none.</param>
/// <param name="Key">The mailbox; null as above.</param>
/// <param name="Uid">The message; null for what is true of the whole.</param>
/// <param name="Text">One sentence without the names above.</param>
/// <param name="Repaired">It was mended by this check.</param>
public sealed record MailboxFinding(MailboxFindingKind Kind, string? User, string? Mailbox, MailboxKey? Key, uint? Uid, string Text, bool Repaired)
{
    /// <summary>The finding as one line.</summary>
    public override string ToString() => string.Concat(
        User, Mailbox is null ? "" : $" {Mailbox}", Uid is { } uid ? $" UID {uid}" : "", User is null && Mailbox is null ? "" : ": ", Text, Repaired ? " (repaired)" : "");
}

/// <summary>What <see cref="MailboxCheck"/> looks at.</summary>
public sealed record MailboxCheckOptions
{
    /// <summary>Only this account; null: everything, also tenants' usage and bodies that nothing refers to.</summary>
    public AccountId? Account { get; init; }

    /// <summary>Only this mailbox of <see cref="Account"/>, and no usage.</summary>
    public MailboxId? Mailbox { get; init; }

    /// <summary>Mend what can be mended.</summary>
    public bool Repair { get; init; }

    /// <summary>Also read every body and compare its CRC-32C: as much work as reading all mail.</summary>
    public bool Bodies { get; init; }

    /// <summary>How long nothing may refer to a body before that is a finding. Default 3 h: twice the collector's wait and a run of it.</summary>
    public TimeSpan BodyGrace { get; init; } = TimeSpan.FromHours(3);
}
