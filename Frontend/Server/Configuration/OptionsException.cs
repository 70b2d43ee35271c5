namespace MailCluster.Server.Configuration;

/// <summary>The node can't start as it is configured; the message is one sentence that names the option.</summary>
public sealed class OptionsException(string message) : Exception(message);
