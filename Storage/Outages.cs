namespace MailCluster.Storage;

/// <summary>Tells this process why PostgreSQL could not be used: clients only hear that they should try again later.</summary>
public static class Outages
{
    /// <summary>Raised with what PostgreSQL, or the way to it, has said, each time. Handlers only take note, and throw nothing.</summary>
    public static event Action<Exception>? Noticed;

    internal static void Notice(Exception e) => Noticed?.Invoke(e);
}
