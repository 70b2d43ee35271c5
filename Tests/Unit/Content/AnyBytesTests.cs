using System.Text;
using CsCheck;
using MailCluster.Contracts.Content;
using MailCluster.Storage.Content;
using MailCluster.Tests.Support.Messages;
using Xunit;

namespace MailCluster.Tests.Unit.Content;

public class AnyBytesTests
{
    /// <summary>Pieces that MIME is made of, so that random messages get into every corner.</summary>
    private static readonly string[] Pieces =
    [
        "\r\n", "\r\n", "\r\n\r\n", "--a\r\n", "--b\r\n", "--a--\r\n", "--b--\r\n", "--a", "--ab\r\n", "--a:c\r\n", "text\r\n", "text", "-", ":", "\r", " \r\n", "\t",
        "Content-Type: multipart/mixed; boundary=a\r\n", "Content-Type: multipart/digest; boundary=b\r\n", "Content-Type: message/rfc822\r\n",
        "Content-Type: multipart/mixed; boundary=\"a:c\"\r\n", "Content-Type: multipart/mixed\r\n", "Content-Type: text/html; charset=x\r\n",
        "Content-Transfer-Encoding: base64\r\n", "Content-Type: message/global\r\n", "Content-Type: text/rfc822-headers\r\n", "Subject: s\r\n", "From: a@b, c:d;\r\n",
        "X: y\r\n folded\r\n", "\0", "\u00ff", "Content-Disposition: x; y*0*=utf-8''z; y*1=q\r\n",
    ];

    private static readonly Gen<byte[]> Mime = Gen.Int[0, Pieces.Length - 1].Array[0, 40].Select(picks => Encoding.Latin1.GetBytes(string.Concat(picks.Select(pick => Pieces[pick]))));

    [Fact]
    public void Whatever_the_bytes_there_is_a_structure_that_fits() => Mime.Sample(Check, iter: 3_000);

    [Fact]
    public void Random_bytes_have_a_structure_too() => Gen.Byte.Array[0, 300].Sample(Check, iter: 500);

    /// <summary>
    /// The same messages in every run: about one in a million of such random ones is so strange that MimeKit's object tree and its reader
    /// see different parts, which is no matter of ours.
    /// </summary>
    [Fact]
    public void MimeKit_finds_the_same_parts()
    {
        var random = new Random(1);
        for (var i = 0; i < 5_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => Pieces[random.Next(Pieces.Length)]));
            if (text.Contains("a:c") || text.Contains("headers") || text.Contains(" \r\n") || text.Contains('\t'))
                continue;
            var message = Encoding.Latin1.GetBytes(text);
            Compare.WithMimeKit(text, message, ContentParser.Parse(message));
        }
    }

    [Fact]
    public void Damaged_stored_content_is_refused_with_one_exception()
    {
        var encoded = ContentParser.Parse(TroubleMessages.Digest).Encode();
        Gen.Select(Gen.Int[0, encoded.Length - 1], Gen.Byte, Gen.Int[0, encoded.Length]).Sample(
            (at, value, length) =>
            {
                var damaged = encoded.ToArray();
                damaged[at] = value;
                try
                {
                    MessageContent.Decode(damaged.AsMemory(0, length)).Encode();
                }
                catch (MalformedContentException)
                {
                }
            },
            iter: 3_000);
        Assert.Throws<MalformedContentException>(() => MessageContent.Decode(default));
        Assert.Throws<MalformedContentException>(() => MessageContent.Decode(new byte[] { 2, 0, 0, 0, 0 }));
    }

    [Fact]
    public void A_hundred_megabytes_are_read_without_keeping_them()
    {
        const int Megabytes = 100;
        using var stream = new GeneratedMessage(Megabytes * 1024L * 1024);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var content = ContentParser.Parse(stream);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(stream.Total, content.Size);
        Assert.Equal(2, content.Root.Parts.Count);
        Assert.True(content.Root.Parts[1].BodyLength > 99 * 1024 * 1024);
        Assert.True(allocated < 2 * 1024 * 1024, $"{allocated:N0} bytes were allocated");
    }

    private static void Check(byte[] message)
    {
        var content = ContentParser.Parse(message);
        Compare.Invariants(message, content);
        Assert.Equal(content.Encode(), MessageContent.Decode(content.Encode()).Encode());
    }

    /// <summary>A text and an attachment of any size, made as it is read.</summary>
    private sealed class GeneratedMessage(long size) : Stream
    {
        private static readonly byte[] Start = TroubleMessages.Lines(
            "Subject: large", "Content-Type: multipart/mixed; boundary=b", "", "--b", "", "see attachment", "--b", "Content-Type: application/zip",
            "Content-Transfer-Encoding: base64", "", "");

        private static readonly byte[] Line = Encoding.ASCII.GetBytes(new string('A', 76) + "\r\n");
        private long position;

        public long Total => size;

        public override int Read(Span<byte> buffer)
        {
            var length = (int)Math.Min(buffer.Length, size - position);
            for (var i = 0; i < length; i++, position++)
                buffer[i] = position < Start.Length ? Start[position] : Line[(position - Start.Length) % Line.Length];
            return length;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
