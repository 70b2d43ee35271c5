using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Checks;

/// <summary>A message that an operation has stored, or may have, under a UID that its client was not told.</summary>
/// <param name="Into">Null: some mailbox of the account.</param>
/// <param name="New">For APPEND and deliveries.</param>
/// <param name="Source">For COPY and MOVE.</param>
/// <param name="Done">The operation that acknowledged it; null where it may not have happened.</param>
internal sealed record Arrival(Operation By, string Account, MailboxChronicle? Into, NewMessage? New, MessageChronicle? Source, Operation? Done)
{
    /// <summary>Null: not known.</summary>
    public string? Mark => New?.Mark ?? Source?.Mark;

    /// <summary>For REPLACE: the message in whose place it comes.</summary>
    public MessageChronicle? Replaces { get; init; }

    /// <summary>The message that goes if it happens: of MOVE and REPLACE.</summary>
    public MessageChronicle? Takes => By.Act is Transfer { Move: true } ? Source : Replaces;

    public bool CanBeIn(MailboxChronicle mailbox) =>
        Into is not null ? Into == mailbox : string.Equals(Account, mailbox.Ref.Account, StringComparison.OrdinalIgnoreCase);
}
