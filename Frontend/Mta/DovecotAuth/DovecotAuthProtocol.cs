using MailCluster.Net;
using MailCluster.Sasl;

namespace MailCluster.Mta.DovecotAuth;

/// <summary>
/// The server's side of the Dovecot authentication protocol 1.2: Postfix (smtpd_sasl_type = dovecot) and Exim (dovecot authenticator) ask here whether a submission's log-in is right. No
/// session is opened. What the mail server says of its client (address, TLS) is believed: nobody else may reach this door.
/// </summary>
public sealed class DovecotAuthProtocol(SaslServer sasl) : IProtocol
{
    private static long _connections;

    public string Name => "dovecot-auth";

    public Task RunAsync(IConnection connection) => new DovecotAuthSession(connection, sasl, Interlocked.Increment(ref _connections)).RunAsync();

    public ReadOnlyMemory<byte>? RefusalLine(RefusalReason reason) => null;
}
