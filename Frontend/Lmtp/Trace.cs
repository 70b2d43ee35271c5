using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using MailCluster.Contracts;

namespace MailCluster.Lmtp;

/// <summary>What is known of a message beside its bytes.</summary>
/// <param name="QueueId">Ours: names the message in the logs and the Received field.</param>
/// <param name="ClientName">As it called itself in LHLO.</param>
internal sealed record Trace(
    string HostName, string QueueId, string SessionId, string Sender, string ClientName, IPAddress ClientAddress, bool IsSecure, bool Utf8, DateTimeOffset Date)
{
    /// <summary>The lines that final delivery puts before a message (RFC 5321 section 4.4; RFC 3848 and RFC 6531 section 4.3 for the protocol's name).</summary>
    public byte[] Prefix(string recipient) => [.. Encoding.UTF8.GetBytes($"Return-Path: <{Sender}>\r\nDelivered-To: {recipient}\r\n"), .. Received(recipient)];

    /// <summary>The one that says through whose hands it went.</summary>
    public byte[] Received(string recipient)
    {
        string protocol = (Utf8 ? "UTF8LMTP" : "LMTP") + (IsSecure ? "S" : "");
        string client = ClientAddress.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? $"IPv6:{ClientAddress}" : ClientAddress.ToString();
        string date = Date.ToString("ddd, d MMM yyyy HH:mm:ss", CultureInfo.InvariantCulture);
        return Encoding.UTF8.GetBytes($"Received: from {ClientName} ([{client}])\r\n\tby {HostName} with {protocol} id {QueueId}\r\n\tfor <{recipient}>; {date} +0000\r\n");
    }

    /// <summary>The same for the same bytes from the same sender to the same recipient, whenever and through whichever front end they come.</summary>
    public Guid DeliveryOf(StagedBody body, string recipient)
    {
        byte[] envelope = Encoding.UTF8.GetBytes($"{body.Hash:N}\0{body.Size}\0{Sender}\0{recipient}");
        return new Guid(SHA256.HashData(envelope).AsSpan(0, 16));
    }
}
