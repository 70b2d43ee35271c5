using System.Buffers.Binary;
using System.Numerics;

namespace MailCluster.Storage.Bodies;

/// <summary>CRC-32C (RFC 3385), piece by piece, with the processor's instruction.</summary>
internal struct Crc32C
{
    private uint _inverted;

    public readonly int Value => unchecked((int)_inverted);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        var crc = ~_inverted;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        foreach (var b in bytes)
            crc = BitOperations.Crc32C(crc, b);
        _inverted = ~crc;
    }
}
