using System.Buffers;

namespace MailCluster.Pop3.Wire;

/// <summary>
/// Writes the lines of a multi-line response (RFC 1939 section 3): one more dot goes before the one that a line begins with. Works at any division of the octets. Lines end in CRLF, as
/// the store keeps them; a lone CR ends none.
/// </summary>
internal struct DotStuffing
{
    private bool _inLine;

    /// <summary>Writes a piece.</summary>
    public void Write(ReadOnlySpan<byte> piece, IBufferWriter<byte> output)
    {
        if (piece.IsEmpty)
            return;
        if (!_inLine && piece[0] == '.')
            output.Write("."u8);
        for (int at; (at = piece.IndexOf("\n."u8)) >= 0; piece = piece[(at + 1)..])
        {
            output.Write(piece[..(at + 1)]);
            output.Write("."u8);
        }
        output.Write(piece);
        _inLine = piece[^1] != '\n';
    }

    /// <summary>Ends the response; a last line without an end gets one.</summary>
    public readonly void End(IBufferWriter<byte> output) => output.Write(_inLine ? "\r\n.\r\n"u8 : ".\r\n"u8);
}
