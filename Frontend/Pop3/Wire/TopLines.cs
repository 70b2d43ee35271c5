namespace MailCluster.Pop3.Wire;

/// <summary>Finds where TOP ends (RFC 1939 section 7): behind the empty line that ends the header, and so many lines of the body. Works at any division of the octets.</summary>
/// <param name="lines">Lines of the body.</param>
internal struct TopLines(int lines)
{
    private int _left = lines;
    private bool _inBody;

    /// <summary>Octets of the line so far, a CR before its end not counted; two are as good as any.</summary>
    private int _line;
    private bool _cr;

    /// <summary>The part of a piece that belongs to the answer; <paramref name="ended"/>: nothing of what follows does.</summary>
    public ReadOnlySpan<byte> Take(ReadOnlySpan<byte> piece, out bool ended)
    {
        int at = 0;
        while (at < piece.Length)
        {
            ended = _inBody && _left == 0;
            if (ended)
                return piece[..at];
            int end = piece[at..].IndexOf((byte)'\n');
            int length = end < 0 ? piece.Length - at : end;
            if (length > 0)
            {
                // A CR that was held back and ended no line belongs to it.
                _line = Math.Min(2, _line + (_cr ? 1 : 0) + length - (piece[at + length - 1] == '\r' ? 1 : 0));
                _cr = piece[at + length - 1] == '\r';
            }
            at += length;
            if (end < 0)
                break;
            at++;
            if (_inBody)
                _left--;
            else if (_line == 0)
                _inBody = true;
            (_line, _cr) = (0, false);
        }
        ended = _inBody && _left == 0;
        return piece;
    }
}
