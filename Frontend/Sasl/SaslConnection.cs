using System.Security.Authentication;
using MailCluster.Net;

namespace MailCluster.Sasl;

/// <summary>What a log-in has to know of the connection that it is made on, or of the one that another server asks about.</summary>
/// <param name="Protocol">imap, pop3, sieve, smtp…; lower case.</param>
/// <param name="SessionId">The connection's id in the logs, unique among all front ends.</param>
/// <param name="Address">The client's address, without port.</param>
public sealed record SaslConnection(string Protocol, string SessionId, string Address)
{
    /// <summary>The address lies in trusted-networks: exempt from limits per address.</summary>
    public bool Trusted { get; init; }

    /// <summary>The bytes travel under TLS.</summary>
    public bool Secure { get; init; }

    /// <summary>Somebody may log in here (RFC 8314 §4.1): under TLS, from this machine, or where an option allows it.</summary>
    public bool MayLogIn { get; init; }

    /// <summary>The hash of this server's certificate (RFC 5929 §4) where TLS ends here; null without: no channel binding.</summary>
    public ReadOnlyMemory<byte>? ServerEndPoint { get; init; }

    /// <summary>The addresses that the client's certificate proves; empty without one: no EXTERNAL.</summary>
    public IReadOnlyList<string> CertificateUsers { get; init; } = [];

    /// <summary>A right log-in opens a session, which its owner disposes of. False: it is only asked whether the log-in is right (submission through another server).</summary>
    public bool OpensSession { get; init; } = true;

    /// <summary>For the log: "none", "1.3", "1.3@proxy" where TLS ends before us.</summary>
    public string Tls { get; init; } = "none";

    /// <summary>The least time since the account's last log-in by this protocol (POP3's LOGIN-DELAY, RFC 2449 section 6.5).</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>The facts of a connection as they are now: take them anew after STARTTLS.</summary>
    /// <param name="protocol">imap, pop3…</param>
    /// <param name="connection">The client's.</param>
    /// <param name="allowPlaintext">The option that lets clients of other machines log in without TLS.</param>
    public static SaslConnection Of(string protocol, IConnection connection, bool allowPlaintext) => new(protocol, connection.SessionId, connection.Remote.Address.ToString())
    {
        Trusted = connection.IsTrusted,
        Secure = connection.IsSecure,
        ServerEndPoint = connection.Tls?.ServerEndPoint,
        CertificateUsers = connection.Tls?.ClientAddresses ?? [],
        Tls = TextOf(connection.Tls),
        MayLogIn = connection.IsSecure || connection.IsLoopback || allowPlaintext,
    };

    private static string TextOf(TlsFacts? tls)
    {
        if (tls is null)
            return "none";
        string version = tls.Protocol switch
        {
            SslProtocols.Tls13 => "1.3",
            SslProtocols.Tls12 => "1.2",
            _ => "unknown",
        };
        return tls.Offloaded ? version + "@proxy" : version;
    }
}
