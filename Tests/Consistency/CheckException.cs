namespace MailCluster.Consistency;

/// <summary>The check can't be done; the message is a sentence for the user.</summary>
internal sealed class CheckException(string message) : Exception(message);
