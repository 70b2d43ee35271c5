using MailCluster.Pop3.Session;
using MailCluster.Sasl;

namespace MailCluster.Pop3.Commands;

/// <summary>CAPA (RFC 2449 section 5).</summary>
internal static class Capa
{
    public static ValueTask Run(Pop3Session session, SessionState state)
    {
        session.Ok("Capability list follows");
        foreach (string capability in Of(session, state))
            session.Line(capability);
        session.Line(".");
        return ValueTask.CompletedTask;
    }

    private static IEnumerable<string> Of(Pop3Session session, SessionState state)
    {
        yield return "TOP";
        yield return "UIDL";
        yield return "PIPELINING";
        yield return "RESP-CODES";
        yield return "AUTH-RESP-CODE";
        SaslConnection connection = session.LogsIn();
        if (connection.MayLogIn)
            yield return "USER";
        if (session.Services.Sasl.Mechanisms(connection) is { Count: > 0 } mechanisms)
            yield return "SASL " + string.Join(' ', mechanisms);
        if (session.Connection.CanStartTls)
            yield return "STLS";
        yield return "UTF8 USER";
        yield return "LANG";
        if (session.Options.LoginDelay > TimeSpan.Zero)
            yield return $"LOGIN-DELAY {(long)session.Options.LoginDelay.TotalSeconds}";
        yield return "EXPIRE NEVER";
        if (state is Transaction)
            yield return session.Options.Version is { } version ? $"IMPLEMENTATION MailCluster-{version}" : "IMPLEMENTATION MailCluster";
    }
}
