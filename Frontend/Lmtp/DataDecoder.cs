using System.Buffers;

namespace MailCluster.Lmtp;

/// <summary>Takes the bytes of a message as they come in.</summary>
internal interface IByteSink
{
    void Write(ReadOnlySpan<byte> bytes);
}

/// <summary>
/// Takes the message out of what follows DATA (RFC 5321 section 4.5.2): removes the dot that was put before a line's own, and finds the end.
/// Only CRLF "." CRLF is the end and only CRLF begins a line: any tolerance for a bare CR or LF would let a message carry another one inside
/// that the sending side does not see (SMTP smuggling). Works at any division of the bytes.
/// </summary>
internal struct DataDecoder
{
    private State _state;

    private enum State : byte
    {
        /// <summary>Behind a CRLF, or at the beginning.</summary>
        LineStart,

        /// <summary>"." at a line's start; not passed on.</summary>
        Dot,

        /// <summary>"." CR at a line's start; neither is passed on.</summary>
        DotCr,

        /// <summary>Behind a CR, which was passed on.</summary>
        Cr,

        Text,
        End,
    }

    /// <summary>Decodes up to the end of the message or of the bytes; true at the end of the message, <paramref name="consumed"/> is then behind it.</summary>
    public bool Decode(in ReadOnlySequence<byte> bytes, IByteSink sink, out SequencePosition consumed)
    {
        long before = 0;
        foreach (ReadOnlyMemory<byte> segment in bytes)
        {
            int used = Decode(segment.Span, sink);
            if (_state == State.End)
            {
                consumed = bytes.GetPosition(before + used);
                return true;
            }
            before += used;
        }
        consumed = bytes.End;
        return false;
    }

    private int Decode(ReadOnlySpan<byte> span, IByteSink sink)
    {
        // The bytes from start to i are still to be passed on.
        int start = 0;
        int i = 0;
        while (i < span.Length)
        {
            byte b = span[i];
            switch (_state)
            {
                case State.Text:
                    int cr = span[i..].IndexOf((byte)'\r');
                    if (cr < 0)
                    {
                        i = span.Length;
                        continue;
                    }
                    i += cr;
                    _state = State.Cr;
                    break;
                case State.LineStart when b == '.':
                    sink.Write(span[start..i]);
                    start = i + 1;
                    _state = State.Dot;
                    break;
                case State.Dot when b == '\r':
                    start = i + 1;
                    _state = State.DotCr;
                    break;
                case State.DotCr when b == '\n':
                    _state = State.End;
                    return i + 1;
                case State.DotCr:
                    sink.Write("\r"u8);
                    start = i;
                    _state = b == '\r' ? State.Cr : State.Text;
                    break;
                case State.Cr when b == '\n':
                    _state = State.LineStart;
                    break;
                default:
                    _state = b == '\r' ? State.Cr : State.Text;
                    break;
            }
            i++;
        }
        sink.Write(span[start..]);
        return span.Length;
    }
}
