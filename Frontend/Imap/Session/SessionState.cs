using MailCluster.Contracts;

namespace MailCluster.Imap.Session;

/// <summary>Where a session stands (RFC 9051 §3), with what it has there and nowhere else.</summary>
public abstract class SessionState
{
    private protected SessionState()
    {
    }
}

public sealed class NotAuthenticated : SessionState;

/// <summary>Logged in; no mailbox is selected, or, as <see cref="Selected"/>, one is.</summary>
public class Authenticated : SessionState
{
    public Authenticated(ImapUser user) => User = user;

    public ImapUser User { get; }
}

/// <summary>A mailbox is selected.</summary>
public sealed class Selected(ImapUser user, SelectedMailbox mailbox) : Authenticated(user)
{
    public SelectedMailbox Mailbox { get; } = mailbox;
}

/// <summary>BYE was said.</summary>
public sealed class LoggedOut : SessionState;
