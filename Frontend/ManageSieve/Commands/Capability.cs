using System.Globalization;
using MailCluster.ManageSieve.Wire;
using MailCluster.Sieve.Compiler;

namespace MailCluster.ManageSieve.Commands;

/// <summary>CAPABILITY (RFC 5804 §2.4, §1.7).</summary>
internal static class Capability
{
    public static ValueTask<bool> RunAsync(ManageSieveSession session, SieveCommand command)
    {
        Tell(session);
        session.Reply.Status("OK");
        return new(true);
    }

    /// <summary>The lines, without their OK.</summary>
    public static void Tell(ManageSieveSession session)
    {
        ResponseWriter reply = session.Reply;
        reply.Line("IMPLEMENTATION", session is { Live: not null, Options.Version: { } version } ? "MailCluster " + version : "MailCluster");
        reply.Line("VERSION", "1.0");
        reply.Line("SIEVE", string.Join(' ', SieveExtensions.With(session.Options.Outgoing)));
        if (session.Options.Outgoing)
        {
            reply.Line("NOTIFY", "mailto");
            reply.Line("MAXREDIRECTS", session.Options.Limits.Redirects.ToString(CultureInfo.InvariantCulture));
        }
        if (session.Live is { } live)
            reply.Line("OWNER", live.Settings.User);
        // Also where there is none: TLS is needed first then (RFC 5804 §1.7).
        reply.Line("SASL", session.Live is null ? string.Join(' ', session.Sasl.Mechanisms(session.LogsIn())) : "");
        if (session.Live is null && session.Connection.CanStartTls)
            reply.Line("STARTTLS");
        reply.Line("UNAUTHENTICATE");
    }
}
