namespace MailCluster.Imap.Wire;

/// <summary>
/// What stands at the end of a line in front of a literal: <c>{n}</c>, <c>{n+}</c> (RFC 7888) or <c>~{n}</c> (literal8, RFC 3516).
/// </summary>
/// <param name="Size">Octets that follow the line; <see cref="long.MaxValue"/> where the announced number does not fit 63 bits.</param>
/// <param name="Synchronizing">The client waits for a continuation request before it sends them.</param>
/// <param name="Binary">literal8: NUL is allowed.</param>
public readonly record struct LiteralAnnouncement(long Size, bool Synchronizing, bool Binary)
{
    /// <summary>Longest announcement that <see cref="TryParse"/> can meet where leading zeros are not abused; longer ones are read as well.</summary>
    internal const int TailLength = 64;

    /// <summary>Finds an announcement at the end of a line (without its line end). <paramref name="start"/> is where it begins.</summary>
    public static bool TryParse(ReadOnlySpan<byte> line, out LiteralAnnouncement announcement, out int start)
    {
        announcement = default;
        start = 0;
        if (line.Length < 3 || line[^1] != '}')
        {
            return false;
        }
        var end = line.Length - 1;
        var synchronizing = line[end - 1] != '+';
        if (!synchronizing)
        {
            end--;
        }
        var digits = end;
        while (digits > 0 && (uint)(line[digits - 1] - '0') <= 9)
        {
            digits--;
        }
        if (digits == end || digits == 0 || line[digits - 1] != '{')
        {
            return false;
        }
        start = digits - 1;
        var binary = start > 0 && line[start - 1] == '~';
        if (binary)
        {
            start--;
        }
        announcement = new(Number(line[digits..end]), synchronizing, binary);
        return true;
    }

    static long Number(ReadOnlySpan<byte> digits)
    {
        long size = 0;
        foreach (var digit in digits)
        {
            var value = digit - '0';
            if (size > (long.MaxValue - value) / 10)
            {
                return long.MaxValue;
            }
            size = (size * 10) + value;
        }
        return size;
    }
}
