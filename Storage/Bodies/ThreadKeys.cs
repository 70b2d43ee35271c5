using System.IO.Hashing;
using System.Text;
using MailCluster.Contracts.Content;

namespace MailCluster.Storage.Bodies;

/// <summary>The message identifiers of a message as 64-bit numbers, by which threads find each other. The hash is stored: it never changes.</summary>
internal static class ThreadKeys
{
    /// <summary>A thread is found by any shared identifier: the first hundred do.</summary>
    public const int Max = 100;

    /// <summary>XXH3 (64 bits, seed 0) of each identifier's octets; the message's own first, distinct.</summary>
    public static IReadOnlyList<long> Of(MessageContent content)
    {
        var keys = new List<long>();
        foreach (var id in MessageIds.Of(content))
        {
            var key = unchecked((long)XxHash3.HashToUInt64(Encoding.Latin1.GetBytes(id)));
            if (keys.Count < Max && !keys.Contains(key))
                keys.Add(key);
        }
        return keys;
    }
}
