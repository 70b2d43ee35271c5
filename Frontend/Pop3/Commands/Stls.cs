using MailCluster.Pop3.Session;

namespace MailCluster.Pop3.Commands;

/// <summary>STLS (RFC 2595 section 4).</summary>
internal static class Stls
{
    public static async ValueTask RunAsync(Pop3Session session)
    {
        if (!session.Connection.CanStartTls)
        {
            session.Err(null, session.Connection.IsSecure ? "TLS is on already" : "There is no certificate for TLS");
        }
        else if (session.Utf8)
        {
            session.Err(null, "STLS comes before UTF8");
        }
        else if (session.Connection.HasBufferedInput)
        {
            // What follows in clear would be run as if it had come under TLS.
            session.End(null, "Nothing may follow STLS before TLS is on");
        }
        else
        {
            session.Ok("Begin TLS negotiation");
            await session.Connection.StartTlsAsync();
            // All that was learnt before is forgotten.
            session.State = new Authorization();
        }
    }
}
