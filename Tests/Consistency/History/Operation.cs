namespace MailCluster.Consistency.History;

/// <summary>How an operation ended, as its client knows it.</summary>
internal enum Outcome
{
    Ok,

    /// <summary>Refused: it has had no effect. With <see cref="Operation.Code"/> UNAVAILABLE it may have had one: see <see cref="Operation.MayHaveHappened"/>.</summary>
    No,

    Bad,

    /// <summary>The connection ended before the tagged answer: the operation may have happened, wholly, or not at all; now, or a moment later.</summary>
    Unknown,
}

/// <summary>
/// One command of one client: when it was sent, when its answer was there, what it asked, and all that the client was told between.
/// Times are <see cref="System.Diagnostics.Stopwatch"/> ticks of one process, so that they can be compared between clients.
/// </summary>
/// <param name="Number">Unique in the history, in the order of invocation.</param>
/// <param name="Session">The connection (see <see cref="SessionFacts"/>).</param>
/// <param name="Invoked">Just before the first octet was written.</param>
/// <param name="Completed">Just after the tagged answer was read; <see cref="long.MaxValue"/> for <see cref="Outcome.Unknown"/>.</param>
/// <param name="Code">The response code of the tagged answer ("UNAVAILABLE", "TRYCREATE"…) without its arguments; or null.</param>
/// <param name="Act">What was asked, in terms of mailboxes and UIDs.</param>
/// <param name="Seen">What untagged responses told between the two moments, in their order.</param>
/// <param name="Text">The command as sent, without literals' octets; for reports.</param>
internal sealed record Operation(
    long Number, int Session, string Account, long Invoked, long Completed, Outcome Outcome, string? Code, Act Act, IReadOnlyList<Seen> Seen, string Text)
{
    /// <summary>
    /// Whether its effect is allowed to be there, though not acknowledged. A STORE that is refused because some of its messages are gone, or were changed, has changed the
    /// others (RFC 2180 §4.2, RFC 7162 §3.1.3); so has one, or an EXPUNGE, whose rights were withdrawn half-way, and a MOVE that was broken off, which says where to (RFC 6851 §3.3).
    /// </summary>
    public bool MayHaveHappened => Outcome == Outcome.Unknown
        || (Outcome == Outcome.No && (Code == "UNAVAILABLE" || (Act is Store or Annotate && Code is "EXPUNGEISSUED" or "MODIFIED") || (Act is Store or Annotate or Expunge && Code is "NOPERM" or "NONEXISTENT")
            || Act is Transfer { Move: true, Pairs.Count: > 0 }));
}

/// <summary>A connection: which server, who, and where its transcript is.</summary>
/// <param name="Session">Its number.</param>
/// <param name="FrontEnd">The address that it was made to.</param>
/// <param name="Transcript">The last octets of both directions with times, as text; bounded.</param>
internal sealed record SessionFacts(int Session, string Account, string FrontEnd, Func<string> Transcript);

/// <summary>
/// A mailbox, not a name: a mailbox that was deleted and made again is another. <paramref name="Id"/> is the MAILBOXID (RFC 8474) where the server gives one,
/// else "name#uidvalidity".
/// </summary>
internal readonly record struct MailboxRef(string Account, string Id)
{
    public override string ToString() => $"{Account}:{Id}";
}

/// <summary>A message that a client made: <paramref name="Mark"/> is unique in the run and stands in its header field <c>X-Check</c>.</summary>
/// <param name="Annotations">Null as empty: it has none.</param>
internal sealed record NewMessage(string Mark, FlagSet Flags, int Size, IReadOnlyList<Annotation>? Annotations = null);
