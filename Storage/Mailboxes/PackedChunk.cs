using System.Buffers.Binary;
using System.Numerics;
using MailCluster.Contracts;
using MailCluster.Storage.Bodies;

namespace MailCluster.Storage.Mailboxes;

/// <summary>
/// A chunk as octets: the format, the number of messages, column after column, a checksum (CRC-32C of all before). A column is the differences of each value from the one before it,
/// seven bits an octet, least significant first, signs in the lowest bit: what comes in order takes an octet or two, where a row takes some hundred.
/// </summary>
internal static class PackedChunk
{
    private const byte Format = 1;
    private const int Columns = 9;
    private const int MaxNumber = 10;

    public static byte[] Pack(MessageChunk chunk)
    {
        byte[] page = new byte[1 + MaxNumber + (Columns * MaxNumber * chunk.Count) + sizeof(int)];
        page[0] = Format;
        int at = 1;
        Write(page, ref at, (ulong)chunk.Count);
        WriteColumn(page, ref at, chunk.Fixed.Uid);
        WriteColumn(page, ref at, chunk.Fixed.Email);
        WriteColumn(page, ref at, chunk.Fixed.Size);
        WriteColumn(page, ref at, chunk.Fixed.InternalDate);
        WriteColumn(page, ref at, chunk.Fixed.ZoneMinutes);
        WriteColumn(page, ref at, chunk.Fixed.SaveDate);
        WriteColumn(page, ref at, chunk.Fixed.Thread);
        WriteColumn(page, ref at, chunk.Flags);
        WriteColumn(page, ref at, chunk.ModSeq);
        BinaryPrimitives.WriteInt32LittleEndian(page.AsSpan(at), Checksum(page.AsSpan(0, at)));
        return page[..(at + sizeof(int))];
    }

    /// <summary>Null where the octets are not as they were written, or not by a program that is known here.</summary>
    public static MessageChunk? Unpack(ReadOnlySpan<byte> page)
    {
        if (page.Length <= sizeof(int) || page[0] != Format || BinaryPrimitives.ReadInt32LittleEndian(page[^sizeof(int)..]) != Checksum(page[..^sizeof(int)]))
            return null;
        page = page[1..^sizeof(int)];
        int count = (int)Read(ref page);
        return new MessageChunk
        {
            Fixed = new MessageColumns
            {
                Uid = ReadColumn<uint>(ref page, count), Email = ReadColumn<long>(ref page, count), Size = ReadColumn<uint>(ref page, count),
                InternalDate = ReadColumn<long>(ref page, count), ZoneMinutes = ReadColumn<short>(ref page, count), SaveDate = ReadColumn<long>(ref page, count),
                Thread = ReadColumn<long>(ref page, count),
            },
            Flags = ReadColumn<int>(ref page, count),
            ModSeq = ReadColumn<long>(ref page, count),
        };
    }

    private static int Checksum(ReadOnlySpan<byte> octets)
    {
        var crc = new Crc32C();
        crc.Append(octets);
        return crc.Value;
    }

    private static void WriteColumn<T>(Span<byte> page, ref int at, T[] column) where T : IBinaryInteger<T>
    {
        long last = 0;
        foreach (T value in column)
        {
            long difference = unchecked(long.CreateTruncating(value) - last);
            Write(page, ref at, (ulong)((difference << 1) ^ (difference >> 63)));
            last = long.CreateTruncating(value);
        }
    }

    private static T[] ReadColumn<T>(ref ReadOnlySpan<byte> page, int count) where T : IBinaryInteger<T>
    {
        var column = new T[count];
        long last = 0;
        for (int i = 0; i < column.Length; i++)
        {
            ulong difference = Read(ref page);
            last = unchecked(last + ((long)(difference >> 1) ^ -(long)(difference & 1)));
            column[i] = T.CreateTruncating(last);
        }
        return column;
    }

    private static void Write(Span<byte> page, ref int at, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            page[at++] = (byte)(value | 0x80);
        page[at++] = (byte)value;
    }

    private static ulong Read(ref ReadOnlySpan<byte> page)
    {
        ulong value = 0;
        int i = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte octet = page[i++];
            value |= (ulong)(octet & 0x7F) << shift;
            if (octet < 0x80)
                break;
        }
        page = page[i..];
        return value;
    }
}
