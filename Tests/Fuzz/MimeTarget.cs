using System.Buffers;
using System.Text;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Wire;
using MailCluster.Storage.Content;
using MailCluster.Tests.Unit.Content;

namespace MailCluster.Tests.Fuzz;

/// <summary>
/// MIME: every message has a structure whose parts lie inside of it, which is stored and read back as it was, and told to clients of both revisions in parentheses that close.
/// </summary>
public sealed class MimeTarget : Target
{
    private static readonly string[] Texts =
    [
        "From: \"A\" <a@b.test>, Group: c@d.test, =?utf-8?Q?=C3=A4?= <e@f>;\r\nTo: x@y\r\nSubject: =?iso-8859-1?B?5A==?= folded\r\n line\r\nDate: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\nMessage-ID: <1@x>\r\nReferences: <0@x> <1@y>\r\n\r\nbody\r\n",
        "Content-Type: multipart/mixed; boundary=\"a\"\r\n\r\npreamble\r\n--a\r\nContent-Type: text/plain; charset=utf-8; format=flowed\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A4=\r\nx\r\n--a\r\nContent-Type: application/octet-stream; name*0*=utf-8''%C3%A4; name*1=b\r\nContent-Disposition: attachment; filename=\"x\"\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n--a--\r\nepilogue",
        "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/digest; boundary=c\r\n\r\n--c\r\n\r\nSubject: inner\r\n\r\ntext\r\n--c--\r\n--b\r\nContent-Type: message/rfc822\r\nContent-ID: <x>\r\nContent-MD5: y\r\nContent-Language: de, en\r\nContent-Location: z\r\n\r\nContent-Type: text/html\r\n\r\n<p>\r\n--b--\r\n",
        "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n--a--\r\n",
        "Subject: \u00e4\u00f6\0\r\nReceived: x\r\n\tfolded\r\nX-Long: " + new string('y', 1200) + "\r\n\r\n\u00ff\u00fe\0\r\nlast line without end",
    ];

    public override string Name => "mime";

    public override IReadOnlyList<byte[]> Seeds { get; } = [.. Texts.Select(Encoding.Latin1.GetBytes)];

    public override IReadOnlyList<string> Words { get; } =
    [
        "\r\n", "\r\n\r\n", "\r", "\n", "\0", "\t", " ", "--a\r\n", "--a--\r\n", "--b\r\n", "--", ":", ";", ",", "<", ">", "@", "\"", "\\", "(", ")", "=?", "?=", "=?utf-8?B?", "=?utf-8?Q?=", "*0*=", "*1=", "''", "%", "\u00e4", "\u00ff",
        "Content-Type: ", "Content-Type: multipart/mixed; boundary=a\r\n", "Content-Type: message/rfc822\r\n", "Content-Type: message/global\r\n", "Content-Type: message/partial\r\n", "Content-Transfer-Encoding: base64\r\n", "boundary=",
        "Content-Disposition: attachment; ", "charset=", "From: ", "To: undisclosed-recipients:;\r\n", "Subject: ", "Date: ",
    ];

    protected override async Task RunAsync(byte[] input, Random variant)
    {
        MessageContent content = ContentParser.Parse(input);
        Compare.Invariants(input, content);
        byte[] stored = content.Encode();
        // Where the pieces end may decide what a CR is that ends the message, as MimeKit reads it: either is a structure.
        Compare.Invariants(input, await ContentParser.ParseAsync(new Slow(input, variant)));
        MessageContent read = MessageContent.Decode(stored);
        if (!stored.AsSpan().SequenceEqual(read.Encode()))
            throw new InvalidOperationException("What was stored is not what is read back");
        foreach (WireCharset charset in new[] { WireCharset.Rev1, WireCharset.Utf8 })
        {
            Closes(reply => reply.Body(read.Root), charset);
            Closes(reply => reply.BodyStructure(read.Root), charset);
            Closes(reply => reply.Envelope(read.Envelope), charset);
        }
    }

    private static void Closes(Action<ReplyWriter> write, WireCharset charset)
    {
        var output = new ArrayBufferWriter<byte>();
        write(new ReplyWriter(output, charset));
        Closes(output.WrittenSpan);
    }

    /// <summary>One list, with strings and literals in it as RFC 9051 §9 writes them.</summary>
    private static void Closes(ReadOnlySpan<byte> answer)
    {
        int depth = 0;
        for (int at = 0; at < answer.Length; at++)
        {
            switch (answer[at])
            {
                case (byte)'(':
                    depth++;
                    break;
                case (byte)')':
                    if (--depth < 0 || (depth == 0 && at != answer.Length - 1))
                        throw new InvalidOperationException("Too many parentheses close");
                    break;
                case (byte)'"':
                    for (at++; at < answer.Length && answer[at] != '"'; at++)
                    {
                        if (answer[at] == '\\')
                            at++;
                        if (at >= answer.Length || answer[at] is (byte)'\r' or (byte)'\n' or 0)
                            throw new InvalidOperationException("A quoted string holds what it may not");
                    }
                    break;
                case (byte)'{':
                    int end = answer[at..].IndexOf("}\r\n"u8);
                    if (end < 0 || !int.TryParse(Encoding.ASCII.GetString(answer.Slice(at + 1, end - 1)), out int length) || at + end + 3 + length > answer.Length)
                        throw new InvalidOperationException("A literal is not as long as it says");
                    at += end + 2 + length;
                    break;
                case 0 or (byte)'\r' or (byte)'\n':
                    throw new InvalidOperationException("A line ends within the answer");
                default:
                    break;
            }
        }
        if (depth != 0)
            throw new InvalidOperationException("A parenthesis does not close");
    }

    /// <summary>Gives a few bytes at a time.</summary>
    private sealed class Slow(byte[] bytes, Random random) : MemoryStream(bytes, writable: false)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, 1 + random.Next(50))], cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            base.ReadAsync(buffer, offset, Math.Min(count, 1 + random.Next(50)), cancellationToken);
    }
}
