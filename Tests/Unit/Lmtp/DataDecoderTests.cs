using System.Buffers;
using System.Text;
using CsCheck;
using MailCluster.Lmtp;
using Xunit;

namespace MailCluster.Tests.Unit.Lmtp;

public sealed class DataDecoderTests
{
    [Theory]
    [InlineData(".\r\n", "")]
    [InlineData("a\r\n.\r\n", "a\r\n")]
    [InlineData("..\r\n.\r\n", ".\r\n")]
    [InlineData("..a\r\n...\r\n.\r\n", ".a\r\n..\r\n")]
    [InlineData(".a\r\n.\r\n", "a\r\n")]
    [InlineData("\r\n\r\n.\r\n", "\r\n\r\n")]
    [InlineData("a\n.\n.\r\n\r\n.\r\n", "a\n.\n.\r\n\r\n")]
    [InlineData("a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n")]
    [InlineData("a\r\n.\nb\r\n.\r\n", "a\r\n\nb\r\n")]
    [InlineData("a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n")]
    [InlineData("a\r\n.\rb\r\n.\r\n", "a\r\n\rb\r\n")]
    [InlineData("a\r\n.\r\r\n.\r\n", "a\r\n\r\r\n")]
    [InlineData("a\r\r\n.\r\n", "a\r\r\n")]
    [InlineData("a\n\r.\n\r\r\n.\r\n", "a\n\r.\n\r\r\n")]
    [InlineData("\0.\r\n.\r\n", "\0.\r\n")]
    public void Only_a_dot_between_two_crlf_is_the_end(string wire, string message)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(wire + "RSET\r\n");
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            var sink = new Sink();
            var decoder = new DataDecoder();
            ReadOnlySequence<byte> sequence = Sequence(bytes[..cut], bytes[cut..]);
            Assert.True(decoder.Decode(sequence, sink, out SequencePosition consumed));
            Assert.Equal(message, sink.Text);
            Assert.Equal("RSET\r\n", Encoding.Latin1.GetString(sequence.Slice(consumed)));
        }
    }

    [Fact]
    public void Every_message_survives_stuffing_at_any_division_of_the_bytes()
    {
        string[] pieces = ["\r\n", ".", "..", "\n", "\r", "a", "text ", ".\r\n", "\r\n."];
        Gen<string> text = Gen.Int[0, pieces.Length - 1].Array[0, 40].Select(a => string.Concat(a.Select(i => pieces[i])) + "\r\n");
        Gen.Select(text, Gen.Int[1, 7]).Sample((message, size) =>
        {
            byte[] wire = Encoding.Latin1.GetBytes(Stuff(message) + ".\r\nNOOP");
            var sink = new Sink();
            var decoder = new DataDecoder();
            for (int at = 0; ; at += size)
            {
                Assert.True(at < wire.Length);
                var part = new ReadOnlySequence<byte>(wire, at, Math.Min(size, wire.Length - at));
                if (!decoder.Decode(part, sink, out SequencePosition consumed))
                    continue;
                Assert.Equal(wire.Length - "NOOP".Length, at + part.Slice(0, consumed).Length);
                break;
            }
            Assert.Equal(message, sink.Text);
        });
    }

    private static string Stuff(string message) => (message[0] == '.' ? "." : "") + message.Replace("\r\n.", "\r\n..");

    private static ReadOnlySequence<byte> Sequence(byte[] a, byte[] b)
    {
        var first = new Segment(a, null);
        var second = new Segment(b, first);
        return new ReadOnlySequence<byte>(first, 0, second, b.Length);
    }

    private sealed class Segment : ReadOnlySequenceSegment<byte>
    {
        public Segment(byte[] bytes, Segment? before)
        {
            Memory = bytes;
            if (before is null)
                return;
            RunningIndex = before.Memory.Length;
            before.Next = this;
        }
    }

    private sealed class Sink : IByteSink
    {
        private readonly StringBuilder _text = new();

        public string Text => _text.ToString();

        public void Write(ReadOnlySpan<byte> bytes) => _text.Append(Encoding.Latin1.GetString(bytes));
    }
}
