using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>UTF8 (RFC 6856 section 2.1).</summary>
internal static class Utf8
{
    public static ValueTask Run(Pop3Session session)
    {
        session.Utf8 = true;
        session.Ok("UTF8 enabled");
        return ValueTask.CompletedTask;
    }
}
