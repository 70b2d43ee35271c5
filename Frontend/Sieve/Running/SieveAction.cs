namespace MailCluster.Sieve.Running;

/// <summary>Something that has to be done with the message.</summary>
/// <param name="Header">The header at that moment (RFC 5293 §6).</param>
public abstract record SieveAction(MessageHeader Header);

/// <summary>A copy of the message in a mailbox of the account.</summary>
/// <param name="Mailbox">As the script writes it; null: where it would go without a script.</param>
/// <param name="Flags">RFC 5232: "\Seen", "$Forwarded"…</param>
public sealed record FileInto(MessageHeader Header, string? Mailbox, IReadOnlyList<string> Flags) : SieveAction(Header)
{
    /// <summary>RFC 5490 §3.2: make it where it is missing.</summary>
    public bool Create { get; init; }

    /// <summary>RFC 9042 §3.1: the mailbox of this id, where there is one.</summary>
    public string? MailboxId { get; init; }

    /// <summary>RFC 8579 §4: the mailbox with this use, where there is one.</summary>
    public string? SpecialUse { get; init; }
}

/// <summary>RFC 5228 §4.2.</summary>
public sealed record Redirect(MessageHeader Header, string Address) : SieveAction(Header);

/// <summary>RFC 5429.</summary>
/// <param name="Extended">ereject: it must be refused while the other side listens, whatever becomes of the reason.</param>
public sealed record Reject(MessageHeader Header, string Reason, bool Extended) : SieveAction(Header);

/// <summary>A reply that was found to be due but for what was sent before (RFC 5230).</summary>
/// <param name="Handle">What makes two replies the same, together with the sender.</param>
/// <param name="Interval">Until the same sender gets it again.</param>
/// <param name="Mime">The reason is a MIME entity, header and all.</param>
public sealed record Vacation(MessageHeader Header, string Handle, TimeSpan Interval, string Recipient, string? Subject, string? From, string Reason, bool Mime) : SieveAction(Header);

/// <summary>RFC 5435, by mailto (RFC 5436).</summary>
public sealed record Notify(MessageHeader Header, MailtoUri Method, string? From, int Importance, string? Message) : SieveAction(Header);

/// <summary>RFC 7352: to be remembered when all was done.</summary>
public sealed record DuplicateMark(string Mark, TimeSpan For);

/// <summary>What came of a run.</summary>
/// <param name="Actions">In order, the implicit keep among them; empty: the message is discarded.</param>
/// <param name="Failure">Why the script could not be run to its end; the only action is keep then (RFC 5228 §2.10.6).</param>
public sealed record SieveResult(IReadOnlyList<SieveAction> Actions, IReadOnlyList<DuplicateMark> Marks, string? Failure);
