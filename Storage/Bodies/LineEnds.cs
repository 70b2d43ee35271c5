namespace MailCluster.Storage.Bodies;

/// <summary>Puts line ends right, piece by piece: a lone LF becomes CRLF, a lone CR stays.</summary>
internal struct LineEnds
{
    private bool _afterCr;

    /// <summary>Copies from <paramref name="input"/> until it is used up or <paramref name="output"/> is full; a CRLF may fall on both sides of a border.</summary>
    /// <returns>Octets taken and octets written.</returns>
    public (int Taken, int Written) Copy(ReadOnlySpan<byte> input, Span<byte> output)
    {
        int taken = 0, written = 0;
        while (taken < input.Length && written < output.Length)
        {
            var rest = input[taken..];
            var run = Math.Min(rest.Length, output.Length - written);
            var lf = rest[..run].IndexOf((byte)'\n');
            if (lf == 0)
            {
                // Where a CR is put in, the LF stays in the input and finds it the next time round.
                output[written++] = _afterCr ? (byte)'\n' : (byte)'\r';
                taken += _afterCr ? 1 : 0;
                _afterCr = !_afterCr;
                continue;
            }
            run = lf < 0 ? run : lf;
            rest[..run].CopyTo(output[written..]);
            taken += run;
            written += run;
            _afterCr = rest[run - 1] == '\r';
        }
        return (taken, written);
    }
}
