namespace MailCluster.Storage.Ids;

/// <summary>
/// Which of the sixteen parts of <c>mail.body</c>, <c>mail.body_chunk</c> and <c>mail.content</c> a body's id falls into, as PostgreSQL decides it for PARTITION BY HASH of one bigint. It can't change
/// there without every such table being written anew; if it did, bodies would only be spread again.
/// </summary>
internal static class BodyPartitions
{
    public const int Count = 16;

    // HASH_PARTITION_SEED, and what hash_combine64 adds to the hash of the first key.
    private const ulong Seed = 0x7A5B22367996DCFD, Combine = 0x49a0f4dd15e5a8e3;

    /// <summary>The remainder, 0 to 15.</summary>
    public static int Of(long id) => (int)(unchecked(Hash(id) + Combine) % Count);

    /// <summary>hashint8extended: the halves of the number folded into 32 bits, then Bob Jenkins' lookup3 over one word.</summary>
    private static ulong Hash(long id)
    {
        unchecked
        {
            uint high = (uint)(id >> 32), word = (uint)id ^ (id >= 0 ? high : ~high);
            uint a, b, c;
            a = b = c = 0x9e3779b9 + sizeof(uint) + 3923095;
            a += (uint)(Seed >> 32);
            b += (uint)Seed;
            // mix
            a -= c; a ^= uint.RotateLeft(c, 4); c += b;
            b -= a; b ^= uint.RotateLeft(a, 6); a += c;
            c -= b; c ^= uint.RotateLeft(b, 8); b += a;
            a -= c; a ^= uint.RotateLeft(c, 16); c += b;
            b -= a; b ^= uint.RotateLeft(a, 19); a += c;
            c -= b; c ^= uint.RotateLeft(b, 4); b += a;
            a += word;
            // final
            c ^= b; c -= uint.RotateLeft(b, 14);
            a ^= c; a -= uint.RotateLeft(c, 11);
            b ^= a; b -= uint.RotateLeft(a, 25);
            c ^= b; c -= uint.RotateLeft(b, 16);
            a ^= c; a -= uint.RotateLeft(c, 4);
            b ^= a; b -= uint.RotateLeft(a, 14);
            c ^= b; c -= uint.RotateLeft(b, 24);
            return ((ulong)b << 32) | c;
        }
    }
}
