using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace MailCluster.Net;

/// <summary>How many connections that are not logged in each client address has; an IPv6 client is its /64, which is what one customer gets.</summary>
internal sealed class AddressLimits
{
    private readonly ConcurrentDictionary<IPAddress, int> _counts = new();

    /// <summary>Counts one more. False, and no slot, when <paramref name="limit"/> is reached.</summary>
    public bool TryTake(IPAddress address, int limit, out AddressSlot? slot)
    {
        var key = Key(address);
        while (true)
        {
            bool known = _counts.TryGetValue(key, out int count);
            if (count >= limit)
            {
                slot = null;
                return false;
            }
            if (known ? _counts.TryUpdate(key, count + 1, count) : _counts.TryAdd(key, 1))
            {
                slot = new AddressSlot(this, key);
                return true;
            }
        }
    }

    internal void Release(IPAddress key)
    {
        while (_counts.TryGetValue(key, out int count))
        {
            if (count > 1 ? _counts.TryUpdate(key, count - 1, count) : _counts.TryRemove(new(key, count)))
            {
                return;
            }
        }
    }

    private static IPAddress Key(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        bytes[8..].Clear();
        return new IPAddress(bytes);
    }
}

/// <summary>One connection's place in the count of its address; given back once.</summary>
internal sealed class AddressSlot(AddressLimits limits, IPAddress key)
{
    public void Release() => limits.Release(key);
}
