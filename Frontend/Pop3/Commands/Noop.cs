using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>NOOP (RFC 1939 section 5).</summary>
internal static class Noop
{
    public static ValueTask Run(Pop3Session session)
    {
        session.Ok("");
        return ValueTask.CompletedTask;
    }
}
