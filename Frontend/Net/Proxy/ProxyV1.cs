using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MailCluster.Net;

/// <summary>Version 1: one line, <c>PROXY TCP4 192.0.2.1 198.51.100.1 56324 143\r\n</c>.</summary>
internal static class ProxyV1
{
    /// <summary>The longest line the specification allows, CRLF included.</summary>
    public const int MaxLength = 107;

    public static bool CanBe(ReadOnlySpan<byte> start)
    {
        var signature = "PROXY "u8;
        int length = Math.Min(start.Length, signature.Length);
        return start[..length].SequenceEqual(signature[..length]);
    }

    /// <summary>Reads a whole line, its LF included; null: not a valid header.</summary>
    public static ProxyHeader? Read(ReadOnlySpan<byte> line)
    {
        if (!line.EndsWith("\r\n"u8) || !Ascii.IsValid(line))
        {
            return null;
        }
        string[] words = Encoding.ASCII.GetString(line[..^2]).Split(' ');
        if (words is ["PROXY", "UNKNOWN", ..])
        {
            return ProxyHeader.None;
        }
        var family = words.Length > 1 && words[1] == "TCP6" ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        return words is ["PROXY", "TCP4" or "TCP6", var source, var destination, var sourcePort, var destinationPort]
            && EndPoint(family, source, sourcePort) is { } from && EndPoint(family, destination, destinationPort) is { } to
            ? new ProxyHeader(from, to, null)
            : null;
    }

    private static IPEndPoint? EndPoint(AddressFamily family, string address, string port) =>
        IPAddress.TryParse(address, out var ip) && ip.AddressFamily == family && (family == AddressFamily.InterNetworkV6 || address.Count('.') == 3)
        && ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number)
            ? new IPEndPoint(ip.IsIPv4MappedToIPv6 ? ip.MapToIPv4() : ip, number)
            : null;
}
