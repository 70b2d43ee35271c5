namespace MailCluster.Storage.Schema;

/// <summary>The database's schema does not fit this program; the message is one sentence for the operator that says what to do.</summary>
public sealed class SchemaException(string message, Exception? inner = null) : Exception(message, inner);
