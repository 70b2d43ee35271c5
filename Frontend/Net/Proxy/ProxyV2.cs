using System.Buffers.Binary;
using System.Net;
using System.Security.Authentication;
using System.Text;

namespace MailCluster.Net;

/// <summary>Version 2: 12 bytes of signature, version and command, family, length; then addresses; then TLVs.</summary>
internal static class ProxyV2
{
    public const int FixedLength = 16;

    /// <summary>Bound on the whole header: the addresses, and TLVs far longer than any proxy sends.</summary>
    public const int MaxLength = 4096;

    private const byte TypeAuthority = 0x02;
    private const byte TypeSsl = 0x20;
    private const byte SubtypeSslVersion = 0x21;
    private const byte SubtypeSslCipher = 0x23;
    private const byte ClientSsl = 0x01;

    private static ReadOnlySpan<byte> Signature => "\r\n\r\n\0\r\nQUIT\n"u8;

    public static bool CanBe(ReadOnlySpan<byte> start)
    {
        int length = Math.Min(start.Length, Signature.Length);
        return start[..length].SequenceEqual(Signature[..length]);
    }

    /// <summary>Length of the whole header.</summary>
    public static int Length(ReadOnlySpan<byte> start) => FixedLength + BinaryPrimitives.ReadUInt16BigEndian(start[14..]);

    /// <summary>Reads a whole header; null: not a valid one.</summary>
    public static ProxyHeader? Read(ReadOnlySpan<byte> header)
    {
        byte versionAndCommand = header[12];
        var rest = header[FixedLength..];
        if (versionAndCommand == 0x20)
        {
            return ProxyHeader.None; // LOCAL: the proxy's own health check.
        }
        if (versionAndCommand != 0x21)
        {
            return null;
        }
        switch (header[13])
        {
            case 0x11 when rest.Length >= 12: // TCP over IPv4
                return new ProxyHeader(EndPoint(rest[..4], rest[8..]), EndPoint(rest[4..8], rest[10..]), Tls(rest[12..]));
            case 0x21 when rest.Length >= 36: // TCP over IPv6
                return new ProxyHeader(EndPoint(rest[..16], rest[32..]), EndPoint(rest[16..32], rest[34..]), Tls(rest[36..]));
            case 0x00 or 0x31: // unspecified, UNIX socket: nothing that a limit or log could use
                return ProxyHeader.None;
            default:
                return null;
        }
    }

    private static IPEndPoint EndPoint(ReadOnlySpan<byte> address, ReadOnlySpan<byte> port)
    {
        var ip = new IPAddress(address);
        return new IPEndPoint(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip, BinaryPrimitives.ReadUInt16BigEndian(port));
    }

    /// <summary>The client's TLS with the proxy, from the TLVs; null when it has none, or they are cut short.</summary>
    private static TlsFacts? Tls(ReadOnlySpan<byte> values)
    {
        bool secure = false;
        string? serverName = null;
        string cipher = "";
        var protocol = SslProtocols.None;
        while (Next(ref values, out byte type, out var value))
        {
            if (type == TypeAuthority)
            {
                serverName = Encoding.UTF8.GetString(value);
            }
            else if (type == TypeSsl && value.Length >= 5)
            {
                secure = (value[0] & ClientSsl) != 0;
                var inner = value[5..];
                while (Next(ref inner, out byte subtype, out var text))
                {
                    if (subtype == SubtypeSslVersion)
                    {
                        protocol = Encoding.ASCII.GetString(text) switch
                        {
                            "TLSv1.3" => SslProtocols.Tls13,
                            "TLSv1.2" => SslProtocols.Tls12,
                            _ => SslProtocols.None,
                        };
                    }
                    else if (subtype == SubtypeSslCipher)
                    {
                        cipher = Encoding.ASCII.GetString(text);
                    }
                }
            }
        }
        return secure ? new TlsFacts(protocol, cipher, serverName, Offloaded: true) : null;
    }

    private static bool Next(ref ReadOnlySpan<byte> values, out byte type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (values.Length < 3)
        {
            return false;
        }
        int length = BinaryPrimitives.ReadUInt16BigEndian(values[1..]);
        if (values.Length < 3 + length)
        {
            return false;
        }
        type = values[0];
        value = values.Slice(3, length);
        values = values[(3 + length)..];
        return true;
    }
}
