using System.Net.Sockets;
using MailCluster.Contracts;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace MailCluster.Outgoing;

internal enum SendOutcome
{
    Sent,

    /// <summary>Not now, or nobody knows.</summary>
    Later,

    /// <summary>Not ever (5xx).</summary>
    Refused,
}

internal sealed record SendResult(SendOutcome Outcome, string Text);

/// <summary>A connection to the relay, opened when it is needed and again after it broke.</summary>
internal sealed class Relay(RelayOptions options) : IDisposable
{
    private SmtpClient? _client;

    /// <summary>Sends one message to one recipient (a list of them is taken wholly or not at all).</summary>
    public async Task<SendResult> SendAsync(OutgoingMail mail, Stream content, CancellationToken cancellationToken)
    {
        bool connected = false;
        try
        {
            MimeMessage message = await MimeMessage.LoadAsync(content, persistent: true, cancellationToken).ConfigureAwait(false);
            SmtpClient client = await ConnectedAsync(cancellationToken).ConfigureAwait(false);
            connected = true;
            FormatOptions format = FormatOptions.Default.Clone();
            format.International = mail.Utf8 && client.Capabilities.HasFlag(SmtpCapabilities.UTF8);
            string answer = await client.SendAsync(
                format, message, new MailboxAddress("", mail.Sender), mail.Recipients.Select(static r => new MailboxAddress("", r)), cancellationToken).ConfigureAwait(false);
            return new SendResult(SendOutcome.Sent, answer);
        }
        catch (SmtpCommandException e)
        {
            // A relay that refuses us (a greeting of 554) has said nothing about the message: somebody has to mend one of the two.
            return new SendResult(connected && (int)e.StatusCode is >= 500 and < 600 ? SendOutcome.Refused : SendOutcome.Later, $"{(int)e.StatusCode} {e.Message}");
        }
        // Nothing that a later attempt could make better: an address that the relay can't take, content that is no message.
        catch (Exception e) when (e is FormatException || (connected && e is NotSupportedException))
        {
            return new SendResult(SendOutcome.Refused, e.Message);
        }
        catch (Exception e) when (e is ProtocolException or IOException or SocketException or TimeoutException or AuthenticationException or SslHandshakeException
            or ServiceNotConnectedException or ServiceNotAuthenticatedException or OperationCanceledException or NotSupportedException)
        {
            Drop();
            return new SendResult(SendOutcome.Later, e is OperationCanceledException ? "it took too long" : e.Message);
        }
    }

    /// <summary>Says goodbye.</summary>
    public async Task CloseAsync()
    {
        try
        {
            if (_client is { IsConnected: true } client)
                await client.DisconnectAsync(quit: true, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ProtocolException or CommandException or IOException or SocketException)
        {
            // Nobody is there to hear it.
        }
        Drop();
    }

    public void Dispose() => Drop();

    private async Task<SmtpClient> ConnectedAsync(CancellationToken cancellationToken)
    {
        if (_client is { IsConnected: true } open)
            return open;
        Drop();
        var client = _client = new AsItIs { LocalDomain = options.HostName, Timeout = (int)options.Timeout.TotalMilliseconds, CheckCertificateRevocation = false };
        if (options.Tls == RelayTls.WhenOffered)
            client.ServerCertificateValidationCallback = static (_, _, _, _) => true;
        await client.ConnectAsync(options.Host, options.Port, options.Tls switch
        {
            RelayTls.Off => SecureSocketOptions.None,
            RelayTls.WhenOffered => SecureSocketOptions.StartTlsWhenAvailable,
            RelayTls.Required => SecureSocketOptions.StartTls,
            _ => SecureSocketOptions.SslOnConnect,
        }, cancellationToken).ConfigureAwait(false);
        if (options.User is { } user)
            await client.AuthenticateAsync(user, options.Password ?? "", cancellationToken).ConfigureAwait(false);
        return client;
    }

    private void Drop()
    {
        _client?.Dispose();
        _client = null;
    }

    /// <summary>Changes nothing in a message, whose signatures (DKIM) would not fit any more, unless the relay takes no 8-bit octets.</summary>
    private sealed class AsItIs : SmtpClient
    {
        protected override void Prepare(FormatOptions options, MimeMessage message, EncodingConstraint constraint, int maxLineLength)
        {
            if (constraint == EncodingConstraint.SevenBit)
                base.Prepare(options, message, constraint, maxLineLength);
        }
    }
}
