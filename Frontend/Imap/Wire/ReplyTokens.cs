using System.Buffers.Text;

namespace MailCluster.Imap.Wire;

/// <summary>
/// Short tokens written side by side with one look at the buffer for all of them, where a response has many and comes by the hundred thousand (FETCH).
/// </summary>
/// <param name="room">For all that is written.</param>
public ref struct ReplyTokens(Span<byte> room)
{
    private readonly Span<byte> _room = room;

    /// <summary>Octets written so far.</summary>
    public int Length { get; private set; }

    /// <summary>Octets as they are.</summary>
    public void Raw(ReadOnlySpan<byte> octets)
    {
        octets.CopyTo(_room[Length..]);
        Length += octets.Length;
    }

    public void Number(long value)
    {
        Utf8Formatter.TryFormat(value, _room[Length..], out int written);
        Length += written;
    }
}
