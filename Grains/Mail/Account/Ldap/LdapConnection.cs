using System.Formats.Asn1;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MailCluster.Storage.Directories;

namespace MailCluster.Grains;

/// <summary>
/// One connection to an LDAP server (RFC 4511): bind, search for one entry, compare. One operation at a time. What is not LDAP, or says that it can't answer now, is an
/// <see cref="IOException"/>.
/// </summary>
internal sealed class LdapConnection : IDisposable
{
    private const int MaxMessage = 1024 * 1024;

    /// <summary>Result codes of RFC 4511 §4.1.9.</summary>
    private const int Success = 0, SizeLimitExceeded = 4, CompareFalse = 5, CompareTrue = 6, NoSuchAttribute = 16, ConstraintViolation = 19, NoSuchObject = 32, InvalidDnSyntax = 34,
        InappropriateAuthentication = 48, InvalidCredentials = 49, InsufficientAccess = 50, UnwillingToPerform = 53;

    private static readonly Asn1Tag _simple = new(TagClass.ContextSpecific, 0), _equality = new(TagClass.ContextSpecific, 3, true);

    private readonly TcpClient _socket = new() { NoDelay = true };
    private Stream _stream = Stream.Null;
    private int _messages;

    public static async Task<LdapConnection> OpenAsync(LdapServer server, CancellationToken cancellationToken)
    {
        var url = new Uri(server.Url);
        var connection = new LdapConnection();
        try
        {
            await connection._socket.ConnectAsync(url.Host, url.IsDefaultPort || url.Port < 0 ? url.Scheme == "ldaps" ? 636 : 389 : url.Port, cancellationToken);
            connection._stream = connection._socket.GetStream();
            if (server.StartTls && url.Scheme == "ldap")
                await connection.StartTlsAsync(cancellationToken);
            if (server.StartTls || url.Scheme == "ldaps")
                await connection.SecureAsync(url.Host, server.CaFile, cancellationToken);
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>True when DN and password are right. An empty password is never sent: it would be no log-in (RFC 4513 §5.1.2).</summary>
    public async Task<bool> BindAsync(string dn, string password, CancellationToken cancellationToken)
    {
        int result = await AskAsync(0, 1, w =>
        {
            w.WriteInteger(3);
            w.WriteOctetString(Encoding.UTF8.GetBytes(dn));
            w.WriteOctetString(Encoding.UTF8.GetBytes(password), _simple);
        }, null, cancellationToken);
        return result switch
        {
            Success => true,
            InvalidCredentials or NoSuchObject or InvalidDnSyntax or InappropriateAuthentication or ConstraintViolation or UnwillingToPerform or InsufficientAccess => false,
            _ => throw Refused("bind", result),
        };
    }

    /// <summary>The DN of the one entry below a base whose attribute has a value; null for none and for several.</summary>
    public async Task<string?> SearchAsync(string start, string attribute, string value, CancellationToken cancellationToken)
    {
        List<string> found = [];
        int result = await AskAsync(3, 5, w =>
        {
            w.WriteOctetString(Encoding.UTF8.GetBytes(start));
            Enumerated(w, 2);
            Enumerated(w, 0);
            w.WriteInteger(2);
            w.WriteInteger(5);
            w.WriteBoolean(false);
            using (w.PushSequence(_equality))
            {
                w.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
                w.WriteOctetString(Encoding.UTF8.GetBytes(value));
            }
            // "1.1": no attributes (RFC 4511 §4.5.1.8).
            using (w.PushSequence())
                w.WriteOctetString("1.1"u8);
        }, entry => found.Add(Encoding.UTF8.GetString(entry.ReadOctetString())), cancellationToken);
        return result switch
        {
            Success => found.Count == 1 ? found[0] : null,
            NoSuchObject or SizeLimitExceeded => null,
            _ => throw Refused("search", result),
        };
    }

    /// <summary>True when an entry's attribute has the value.</summary>
    public async Task<bool> CompareAsync(string dn, string attribute, string value, CancellationToken cancellationToken)
    {
        int result = await AskAsync(14, 15, w =>
        {
            w.WriteOctetString(Encoding.UTF8.GetBytes(dn));
            using (w.PushSequence())
            {
                w.WriteOctetString(Encoding.UTF8.GetBytes(attribute));
                w.WriteOctetString(Encoding.UTF8.GetBytes(value));
            }
        }, null, cancellationToken);
        return result switch
        {
            CompareTrue => true,
            CompareFalse or NoSuchObject or NoSuchAttribute or InvalidDnSyntax => false,
            _ => throw Refused("compare", result),
        };
    }

    public void Dispose()
    {
        _stream.Dispose();
        _socket.Dispose();
    }

    private async Task StartTlsAsync(CancellationToken cancellationToken)
    {
        int result = await AskAsync(23, 24, static w => w.WriteOctetString("1.3.6.1.4.1.1466.20037"u8, _simple), null, cancellationToken);
        if (result != Success)
            throw Refused("StartTLS", result);
    }

    private async Task SecureAsync(string host, string? caFile, CancellationToken cancellationToken)
    {
        var tls = new SslStream(_stream);
        var options = new SslClientAuthenticationOptions { TargetHost = host };
        if (caFile is not null)
        {
            var chain = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            chain.CustomTrustStore.ImportFromPemFile(caFile);
            options.CertificateChainPolicy = chain;
        }
        _stream = tls;
        await tls.AuthenticateAsClientAsync(options, cancellationToken);
    }

    /// <summary>Sends a request and reads answers until the one that ends it; its result code.</summary>
    private async Task<int> AskAsync(int request, int response, Action<AsnWriter> write, Action<AsnReader>? entry, CancellationToken cancellationToken)
    {
        int id = ++_messages;
        var writer = new AsnWriter(AsnEncodingRules.BER);
        using (writer.PushSequence())
        {
            writer.WriteInteger(id);
            using (writer.PushSequence(new Asn1Tag(TagClass.Application, request, true)))
                write(writer);
        }
        await _stream.WriteAsync(writer.Encode(), cancellationToken);
        await _stream.FlushAsync(cancellationToken);
        while (true)
        {
            byte[] message = await ReadAsync(cancellationToken);
            try
            {
                AsnReader reader = new AsnReader(message, AsnEncodingRules.BER).ReadSequence();
                if (!reader.TryReadInt32(out int answered) || answered != id)
                    throw new IOException("The LDAP server ended the connection.");
                Asn1Tag tag = reader.PeekTag();
                AsnReader operation = reader.ReadSequence(tag);
                if (tag.TagClass == TagClass.Application && tag.TagValue == response)
                    return operation.ReadEnumeratedBytes().Span[^1];
                if (tag.TagClass == TagClass.Application && tag.TagValue == 4)
                    entry?.Invoke(operation);
            }
            catch (AsnContentException e)
            {
                throw new IOException("The LDAP server's answer is not one of LDAP.", e);
            }
        }
    }

    private async Task<byte[]> ReadAsync(CancellationToken cancellationToken)
    {
        // Tag and length, of which the long form says how many octets it has.
        byte[] head = new byte[6];
        await _stream.ReadExactlyAsync(head.AsMemory(0, 2), cancellationToken);
        int size = head[1], start = 2;
        if (size >= 0x80)
        {
            int octets = size & 0x7F;
            if (octets is 0 or > 4)
                throw new IOException("The LDAP server's answer is not one of LDAP.");
            await _stream.ReadExactlyAsync(head.AsMemory(2, octets), cancellationToken);
            long length = 0;
            for (int i = 0; i < octets; i++)
                length = (length << 8) | head[2 + i];
            size = length <= MaxMessage ? (int)length : throw new IOException("The LDAP server's answer is too long.");
            start += octets;
        }
        var message = new byte[start + size];
        head.AsSpan(0, start).CopyTo(message);
        await _stream.ReadExactlyAsync(message.AsMemory(start), cancellationToken);
        return message;
    }

    private static void Enumerated(AsnWriter writer, byte value) => writer.WriteEncodedValue([0x0A, 1, value]);

    private static IOException Refused(string operation, int result) => new($"The LDAP server answers {operation} with result code {result}.");
}
