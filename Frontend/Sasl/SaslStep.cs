using MailCluster.Cluster;
using MailCluster.Contracts;

namespace MailCluster.Sasl;

/// <summary>What the server says to a client's response.</summary>
public abstract record SaslStep;

/// <summary>Send these octets (base64, as the protocol has it), and give the client's answer to the exchange.</summary>
public sealed record SaslChallenge(ReadOnlyMemory<byte> Bytes) : SaslStep
{
    public static readonly SaslChallenge Empty = new(ReadOnlyMemory<byte>.Empty);
}

/// <summary>The client is who it says it is. What the mechanism had to tell was told by a challenge before.</summary>
/// <param name="Session">To be disposed of when the connection ends; null where <see cref="SaslConnection.OpensSession"/> is false.</param>
/// <param name="Settings">The account that it works as.</param>
public sealed record SaslSuccess(LiveSession? Session, AccountSettings Settings) : SaslStep;

/// <summary>Refused.</summary>
/// <param name="Error">The reason as the client may know it: <see cref="MailErrorCode.AuthenticationFailed"/>, <see cref="MailErrorCode.AuthorizationFailed"/>, <see cref="MailErrorCode.Limit"/>, <see cref="MailErrorCode.Unavailable"/>, <see cref="MailErrorCode.Cannot"/>.</param>
/// <param name="Kind">What kind of refusal it is, for protocols that tell them apart.</param>
public sealed record SaslFailure(MailError Error, SaslFailureKind Kind = SaslFailureKind.Refused) : SaslStep;

public enum SaslFailureKind
{
    /// <summary>As the error says.</summary>
    Refused,

    /// <summary>The response is not one of the mechanism: a syntax error (IMAP BAD).</summary>
    Malformed,

    /// <summary>The mechanism is not known here, or not offered on this connection.</summary>
    UnknownMechanism,

    /// <summary>Nobody may log in without TLS here (RFC 5530 PRIVACYREQUIRED).</summary>
    TlsNeeded,
}
