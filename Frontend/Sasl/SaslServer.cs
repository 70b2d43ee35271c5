using MailCluster.Cluster;
using MailCluster.Contracts;

namespace MailCluster.Sasl;

/// <summary>
/// The one way to log in, for all doors: which mechanisms there are on a connection, and the exchange of each (RFC 4422). One object a process.
/// </summary>
public sealed class SaslServer(MailClusterClient cluster, SaslOptions? options = null)
{
    private static readonly SaslFailure TlsNeeded = new(new MailError(MailErrorCode.Cannot, "Use TLS before you log in."), SaslFailureKind.TlsNeeded);

    private static readonly SaslFailure Unknown = new(new MailError(MailErrorCode.Cannot, "This mechanism is not known."), SaslFailureKind.UnknownMechanism);

    private readonly SaslOptions _options = options ?? new SaslOptions();

    internal MailClusterClient Cluster => cluster;

    internal TokenVerifier Tokens { get; } = new();

    /// <summary>The mechanisms that work on a connection, in capitals, the best first; empty where TLS is needed first.</summary>
    public IReadOnlyList<string> Mechanisms(SaslConnection connection)
    {
        if (!connection.MayLogIn)
            return [];
        var offered = new List<string>(_options.Mechanisms.Count + 3);
        // Who shows a certificate of ours may use it.
        if (connection.CertificateUsers.Count > 0)
            offered.Add("EXTERNAL");
        foreach (string mechanism in _options.Mechanisms)
        {
            if (mechanism.StartsWith("SCRAM-", StringComparison.Ordinal) && connection.ServerEndPoint is not null)
                offered.Add(mechanism + "-PLUS");
            offered.Add(mechanism);
        }
        return offered;
    }

    /// <summary>Begins an exchange, or says why there can be none.</summary>
    /// <param name="mechanism">In any case.</param>
    public SaslBegin Begin(string mechanism, SaslConnection connection)
    {
        mechanism = mechanism.ToUpperInvariant();
        if (!connection.MayLogIn)
            return new SaslBegin(null, _options.Mechanisms.Contains(mechanism) ? TlsNeeded : Unknown);
        if (!Mechanisms(connection).Contains(mechanism))
            return new SaslBegin(null, Unknown);
        return new SaslBegin(mechanism switch
        {
            "PLAIN" => new PlainExchange(this, connection),
            "LOGIN" => new LoginExchange(this, connection),
            "EXTERNAL" => new ExternalExchange(this, connection),
            "OAUTHBEARER" or "XOAUTH2" => new BearerExchange(this, connection, mechanism),
            _ => new ScramExchange(this, connection, mechanism),
        }, null);
    }

    /// <summary>A log-in by the protocol's own command: LOGIN of IMAP, USER and PASS of POP3.</summary>
    /// <param name="command">LOGIN, USER: for the log.</param>
    public ValueTask<SaslStep> PasswordAsync(string command, string user, string password, SaslConnection connection, CancellationToken cancellationToken) => connection.MayLogIn
        ? CheckAsync(command, new LoginCredentials(user) { Password = password }, connection, cancellationToken) : new(TlsNeeded);

    internal async ValueTask<SaslStep> CheckAsync(string mechanism, LoginCredentials credentials, SaslConnection connection, CancellationToken cancellationToken)
    {
        MailResult<LoginOutcome> result = await LoginAsync(mechanism, credentials, connection, cancellationToken).ConfigureAwait(false);
        return result.IsOk ? new SaslSuccess(result.Value.Session, result.Value.Settings) : new SaslFailure(result.Error);
    }

    internal ValueTask<MailResult<LoginOutcome>> LoginAsync(string mechanism, LoginCredentials credentials, SaslConnection connection, CancellationToken cancellationToken) =>
        cluster.LoginAsync(credentials, Context(mechanism, connection), cancellationToken);

    /// <summary>Notes a log-in that is refused without asking the account's owner.</summary>
    internal void Refuse(string mechanism, string user, SaslConnection connection, string reason) => cluster.RefuseLogin(user, Context(mechanism, connection), reason);

    private static LoginContext Context(string mechanism, SaslConnection connection) =>
        new(connection.Protocol, mechanism, connection.Address, connection.SessionId, connection.Trusted) { OpensSession = connection.OpensSession, Secure = connection.Secure, Delay = connection.Delay, Tls = connection.Tls };
}

/// <summary>An exchange that can begin; null, with the reason, where it can't.</summary>
public readonly record struct SaslBegin(SaslExchange? Exchange, SaslFailure? Failure);
