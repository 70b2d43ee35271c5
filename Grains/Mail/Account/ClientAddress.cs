using System.IO.Hashing;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MailCluster.Contracts;

namespace MailCluster.Grains;

/// <summary>Clients' addresses as failed log-ins are counted by: an IPv6 client is its /64, which is what one customer gets.</summary>
internal static class ClientAddress
{
    public static string Key(string address)
    {
        if (!IPAddress.TryParse(address, out IPAddress? parsed) || parsed.AddressFamily != AddressFamily.InterNetworkV6)
            return address;
        byte[] bytes = parsed.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes).ToString();
    }

    /// <summary>Who counts for an address; the same on all nodes.</summary>
    public static IGuessGrain Shard(IGrainFactory grains, string address) =>
        grains.GetGrain<IGuessGrain>((long)(XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(Key(address))) % IGuessGrain.Shards));
}
