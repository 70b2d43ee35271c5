namespace MailCluster.Imap.Wire;

/// <summary>
/// The bytes of a command are not what the grammar allows. Thrown by <see cref="ImapParser"/> and the grammars only, caught where a command
/// is dispatched, answered with BAD. The message says what was expected; it never repeats what the client sent, so it is safe in answers and logs.
/// </summary>
public sealed class ImapSyntaxException(string message) : Exception(message);
