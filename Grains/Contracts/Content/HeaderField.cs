namespace MailCluster.Contracts.Content;

/// <summary>Looks at header fields in raw bytes (RFC 5322 §2.2), for headers that are in memory.</summary>
public static class HeaderField
{
    /// <summary>
    /// Takes the next field, with its folded lines and its line end, off <paramref name="block"/>. False at the empty line that ends a
    /// header block and at the end of the bytes. A line without a colon is a field with an empty name.
    /// </summary>
    public static bool TryRead(ref ReadOnlySpan<byte> block, out ReadOnlySpan<byte> field)
    {
        field = default;
        if (block.IsEmpty || block[0] == '\n' || block.StartsWith("\r\n"u8))
            return false;
        var end = 0;
        do
        {
            var line = block[end..].IndexOf((byte)'\n');
            end = line < 0 ? block.Length : end + line + 1;
        }
        while (end < block.Length && block[end] is (byte)' ' or (byte)'\t');
        field = block[..end];
        block = block[end..];
        return true;
    }

    /// <summary>The name without blanks before the colon; empty where the field has no colon.</summary>
    public static ReadOnlySpan<byte> Name(ReadOnlySpan<byte> field)
    {
        var colon = field.IndexOf((byte)':');
        return colon < 0 ? default : field[..colon].TrimEnd(" \t"u8);
    }

    /// <summary>The value unfolded (line ends removed, RFC 5322 §2.2.3) and trimmed; copies only where it was folded.</summary>
    public static ReadOnlyMemory<byte> Value(ReadOnlyMemory<byte> field)
    {
        var colon = field.Span.IndexOf((byte)':');
        return Unfold(colon < 0 ? field : field[(colon + 1)..]);
    }

    /// <summary>
    /// Removes the line ends of folding and the blanks around the whole. A CR that is not part of a line end stays.
    /// </summary>
    public static ReadOnlyMemory<byte> Unfold(ReadOnlyMemory<byte> value)
    {
        value = value.Trim(" \t\r\n"u8);
        if (!value.Span.Contains((byte)'\n'))
            return value;
        var source = value.Span;
        var unfolded = new byte[source.Length];
        var length = 0;
        for (var i = 0; i < source.Length; i++)
        {
            if (source[i] == '\n' || (source[i] == '\r' && i + 1 < source.Length && source[i + 1] == '\n'))
                continue;
            unfolded[length++] = source[i];
        }
        return unfolded.AsMemory(0, length);
    }
}
