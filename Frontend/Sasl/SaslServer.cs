using MailCluster.Cluster;
using MailCluster.Contracts;

namespace MailCluster.Sasl;

/// <summary>
/// The one way to log in, for all doors: which mechanisms there are on a connection, and the exchange of each (RFC 4422). One object a process.
/// </summary>
public sealed class SaslServer(MailClusterClient cluster)
{
    private static readonly SaslFailure TlsNeeded = new(new MailError(MailErrorCode.Cannot, "Use TLS before you log in."), SaslFailureKind.TlsNeeded);

    private static readonly SaslFailure Unknown = new(new MailError(MailErrorCode.Cannot, "This mechanism is not known."), SaslFailureKind.UnknownMechanism);

    internal MailClusterClient Cluster => cluster;

    /// <summary>The mechanisms that work on a connection, in capitals, the best first; empty where TLS is needed first.</summary>
    public IReadOnlyList<string> Mechanisms(SaslConnection connection) => connection.MayLogIn ? ["PLAIN", "LOGIN"] : [];

    /// <summary>Begins an exchange, or says why there can be none.</summary>
    /// <param name="mechanism">In any case.</param>
    public SaslBegin Begin(string mechanism, SaslConnection connection)
    {
        mechanism = mechanism.ToUpperInvariant();
        SaslExchange? exchange = mechanism switch
        {
            "PLAIN" => new PlainExchange(this, connection),
            "LOGIN" => new LoginExchange(this, connection),
            _ => null,
        };
        return exchange is null ? new SaslBegin(null, Unknown) : !connection.MayLogIn ? new SaslBegin(null, TlsNeeded) : new SaslBegin(exchange, null);
    }

    /// <summary>A log-in by the protocol's own command: LOGIN of IMAP, USER and PASS of POP3.</summary>
    /// <param name="command">LOGIN, USER: for the log.</param>
    public ValueTask<SaslStep> PasswordAsync(string command, string user, string password, SaslConnection connection, CancellationToken cancellationToken) =>
        connection.MayLogIn ? CheckAsync(command, user, password, connection, cancellationToken) : new(TlsNeeded);

    internal async ValueTask<SaslStep> CheckAsync(string mechanism, string user, string password, SaslConnection connection, CancellationToken cancellationToken)
    {
        MailResult<LoginOutcome> result = await cluster.LoginAsync(user, password, Context(mechanism, connection), cancellationToken).ConfigureAwait(false);
        return result.IsOk ? new SaslSuccess(result.Value.Session, result.Value.Settings) : new SaslFailure(result.Error);
    }

    private static LoginContext Context(string mechanism, SaslConnection connection) =>
        new(connection.Protocol, mechanism, connection.Address, connection.SessionId, connection.Trusted) { OpensSession = connection.OpensSession, Delay = connection.Delay };
}

/// <summary>An exchange that can begin; null, with the reason, where it can't.</summary>
public readonly record struct SaslBegin(SaslExchange? Exchange, SaslFailure? Failure);
