using MailCluster.Contracts;

namespace MailCluster.Imap.Session;

public enum CompletionStatus
{
    Ok,
    No,
    Bad,

    /// <summary>The command has written its own end (STARTTLS), or the session ended under it.</summary>
    Answered,
}

/// <summary>How a command ended: its tagged status response (RFC 9051 §7.1).</summary>
/// <param name="Code">A response code without brackets, or null.</param>
/// <param name="Text">For people; null for the usual words.</param>
/// <param name="TellsModSeq">The code is HIGHESTMODSEQ of what the client was told up to this answer (RFC 7162 §3.2.10).</param>
public readonly record struct Completion(CompletionStatus Status, string? Code, string? Text, bool TellsModSeq = false)
{
    public static readonly Completion Done = new(CompletionStatus.Ok, null, null);

    /// <summary>OK with HIGHESTMODSEQ; for commands after which everything is told.</summary>
    public static readonly Completion DoneWithModSeq = Done with { TellsModSeq = true };

    public static readonly Completion Answered = new(CompletionStatus.Answered, null, null);

    public static Completion Ok(string? code, string? text = null) => new(CompletionStatus.Ok, code, text);

    public static Completion No(string? code, string text) => new(CompletionStatus.No, code, text);

    public static Completion Bad(string text) => new(CompletionStatus.Bad, null, text);

    /// <summary>A message number where UIDONLY is on (RFC 9586 §3).</summary>
    public static readonly Completion UidRequired = new(CompletionStatus.Bad, "UIDREQUIRED", "Message numbers are not used any more");

    /// <summary>Expected failures become NO with the code of <see cref="Responses.ErrorCodes"/>.</summary>
    public static implicit operator Completion(MailError error) => No(Responses.ErrorCodes.Of(error.Code), error.Text);
}
