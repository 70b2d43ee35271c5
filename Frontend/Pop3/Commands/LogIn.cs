using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Pop3.Session;
using MailCluster.Sasl;

namespace MailCluster.Pop3.Commands;

/// <summary>The end of a log-in, which PASS and AUTH share: the maildrop is opened, and its lock given back where that fails (RFC 1939 section 4).</summary>
internal static class LogIn
{
    public static async ValueTask EndAsync(Pop3Session session, SaslStep outcome)
    {
        if (outcome is SaslSuccess { Session: { } live })
            await EnterAsync(session, live);
        else
            Refuse(session, (SaslFailure)outcome);
    }

    /// <summary>Answers a log-in that failed.</summary>
    public static void Refuse(Pop3Session session, SaslFailure failure)
    {
        if (failure.Kind == SaslFailureKind.Malformed)
            session.Bad(failure.Error.Text);
        else if (failure.Kind == SaslFailureKind.TlsNeeded)
            session.Err(null, "Use STLS before you log in");
        else if (failure.Kind == SaslFailureKind.UnknownMechanism)
            session.Err(null, failure.Error.Text);
        else if (failure.Error.Code == MailErrorCode.AuthenticationFailed && ++session.FailedLogins >= session.Options.FailedLogins)
            session.End(ErrorCodes.Auth, "Too many failed log-ins");
        else
            session.Err(failure.Error);
    }

    private static async ValueTask EnterAsync(Pop3Session session, LiveSession live)
    {
        Maildrop? maildrop = null;
        try
        {
            MailResult<Maildrop> opened = await OpenAsync(session, live);
            maildrop = opened.Value;
            if (opened.Error is { } error)
                session.Err(error);
        }
        finally
        {
            if (maildrop is null)
                await live.DisposeAsync();
        }
        if (maildrop is null)
            return;
        session.LoggedIn(live, maildrop);
        session.Ok($"The maildrop has {maildrop.Messages} messages ({maildrop.Octets} octets)");
    }

    private static async ValueTask<MailResult<Maildrop>> OpenAsync(Pop3Session session, LiveSession live)
    {
        MailResult<MailboxInfo> inbox = await session.Cluster.FindAsync(live.Account, MailboxPath.Inbox, session.Wait);
        return inbox.Error is { } error
            ? error
            : await Maildrop.OpenAsync(session.Cluster, new MailboxKey(live.Account, inbox.Value!.Id), session.Wait);
    }
}
