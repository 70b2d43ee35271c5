using System.IO.Pipelines;
using System.Net;
using System.Security.Authentication;

namespace MailCluster.Net;

/// <summary>One client connection as its session sees it. Members are for the session's own flow, one call at a time, except where they say "any thread".</summary>
public interface IConnection
{
    /// <summary>Unique in this process, rising.</summary>
    long Id { get; }

    /// <summary>Short text for logs, unique among this process's connections and, in practice, among those of all front ends.</summary>
    string SessionId { get; }

    /// <summary>The client's address; behind a trusted proxy the one from its PROXY header. IPv4 addresses are never in their IPv6-mapped form.</summary>
    IPEndPoint Remote { get; }

    /// <summary>The address the client connected to; behind a trusted proxy the one from its PROXY header.</summary>
    IPEndPoint Local { get; }

    /// <summary>The bytes travel under TLS: ours, or a trusted proxy's that says so in its PROXY v2 header.</summary>
    bool IsSecure { get; }

    /// <summary><see cref="Remote"/> is a loopback address.</summary>
    bool IsLoopback { get; }

    /// <summary><see cref="Remote"/> is in <see cref="ListenerOptions.TrustedNetworks"/>.</summary>
    bool IsTrusted { get; }

    /// <summary>Facts of the TLS session; null without TLS.</summary>
    TlsFacts? Tls { get; }

    /// <summary>
    /// What the client sends. Read the property anew after <see cref="StartTlsAsync"/>: it is another object then. Usually read through
    /// <see cref="ConnectionInput.ReadLineAsync"/> and <see cref="ConnectionInput.ReadAsync"/>, which know time-outs and draining.
    /// Completed when the client has ended its side; a reader then still answers what it has read. Throws <see cref="ConnectionClosedException"/> after an abort.
    /// </summary>
    PipeReader Input { get; }

    /// <summary>What goes to the client. Read the property anew after <see cref="StartTlsAsync"/>.</summary>
    ConnectionOutput Output { get; }

    /// <summary>
    /// The thread in which the session goes on when input arrives, for other short continuations: what is written and flushed there goes to the socket without waking anybody. It serves other connections, too.
    /// </summary>
    PipeScheduler Resume { get; }

    /// <summary>The clock of the wait for input, and the way to wake it. Any thread.</summary>
    InputTimeout InputTimeout { get; }

    /// <summary>Bytes of <see cref="Input"/> that have arrived and are not consumed yet. Checked before STARTTLS is answered: such bytes are an injection (RFC 9051 section 11.1, RFC 3207 section 6).</summary>
    bool HasBufferedInput { get; }

    /// <summary>
    /// Flushes, performs the TLS handshake, and replaces <see cref="Input"/> and <see cref="Output"/>.
    /// Throws <see cref="InvalidOperationException"/> when TLS is on already, there is no certificate, or <see cref="HasBufferedInput"/>; throws
    /// <see cref="ConnectionClosedException"/> when the handshake fails or takes longer than <see cref="ListenerOptions.TlsHandshakeTimeout"/>: let it escape, the connection is dead.
    /// </summary>
    ValueTask StartTlsAsync(CancellationToken cancellationToken = default);

    /// <summary>The listener has a certificate and TLS is not on: STARTTLS may be offered.</summary>
    bool CanStartTls { get; }

    /// <summary>What is sent and received is compressed.</summary>
    bool IsCompressed { get; }

    /// <summary>
    /// Flushes, and from then on both directions are DEFLATE (RFC 1951) inside of TLS, where that is on: replaces <see cref="Input"/> and <see cref="Output"/>.
    /// Input that is no DEFLATE ends the connection. Throws <see cref="InvalidOperationException"/> when it is on already or <see cref="HasBufferedInput"/>.
    /// </summary>
    ValueTask StartDeflateAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Ends what <see cref="StartDeflateAsync"/> began: reads the client's stream to where it was flushed, lets <paramref name="last"/> write what still is compressed, flushes, and replaces <see cref="Input"/>
    /// and <see cref="Output"/>. False, and nothing is changed, where the client has compressed more than was consumed.
    /// </summary>
    ValueTask<bool> StopDeflateAsync(Action last, CancellationToken cancellationToken = default);

    /// <summary>Cancelled when the connection is dead: reset by the peer, aborted, or timed out. The client's orderly end of input does not cancel it.</summary>
    CancellationToken Closed { get; }

    /// <summary>Cancelled when the server shuts down: finish the running command, say BYE, return. A wait for input ends at once.</summary>
    CancellationToken Draining { get; }

    /// <summary>The session has authenticated: it no longer counts for <see cref="ListenerOptions.MaxConnectionsPerAddress"/>.</summary>
    void LoggedIn();

    /// <summary>The session is as one that has not authenticated yet. False where <see cref="ListenerOptions.MaxConnectionsPerAddress"/> has no room for it: it has to end.</summary>
    bool LoggedOut();

    /// <summary>Closes at once; what is not yet sent is lost. <paramref name="reason"/> goes to the log. Any thread, any number of times.</summary>
    void Abort(string reason);
}

/// <summary>What a TLS session was negotiated to.</summary>
/// <param name="Protocol">TLS 1.2 or 1.3; None when a proxy ended TLS and did not say.</param>
/// <param name="Cipher">IANA name of the cipher suite; empty when unknown.</param>
/// <param name="ServerName">Host name the client asked for (SNI); null without one.</param>
/// <param name="Offloaded">TLS ends at a trusted proxy, not here.</param>
public sealed record TlsFacts(SslProtocols Protocol, string Cipher, string? ServerName, bool Offloaded)
{
    /// <summary>The channel binding tls-server-end-point (RFC 5929 §4): the hash of the certificate that this server showed; null where TLS does not end here.</summary>
    public ReadOnlyMemory<byte>? ServerEndPoint { get; init; }

    /// <summary>The mail addresses that the client's certificate proves, see <see cref="Net.ClientAuthorities"/>; empty without one.</summary>
    public IReadOnlyList<string> ClientAddresses { get; init; } = [];
}

/// <summary>The connection is gone; the message says why. A session lets it escape.</summary>
public sealed class ConnectionClosedException(string reason, Exception? inner = null) : IOException(reason, inner);
