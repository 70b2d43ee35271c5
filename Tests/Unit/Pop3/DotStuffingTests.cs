using System.Buffers;
using System.Text;
using CsCheck;
using MailCluster.Pop3.Wire;
using Xunit;

namespace MailCluster.Tests.Unit.Pop3;

public sealed class DotStuffingTests
{
    [Theory]
    [InlineData("", ".\r\n")]
    [InlineData("a\r\n", "a\r\n.\r\n")]
    [InlineData("a", "a\r\n.\r\n")]
    [InlineData(".", "..\r\n.\r\n")]
    [InlineData(".\r\n", "..\r\n.\r\n")]
    [InlineData("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n.\r\n")]
    [InlineData("..a\r\n.b.\r\n", "...a\r\n..b.\r\n.\r\n")]
    [InlineData("a\r.b\r\n", "a\r.b\r\n.\r\n")]
    public void A_dot_goes_before_a_line_s_own(string message, string sent) => Assert.Equal(sent, Send([message]));

    [Fact]
    public void What_is_sent_depends_on_no_division_and_is_undone_by_its_reader() =>
        Gen.Char[".\r\na"].List[0, 40].Select(Gen.Int[0, 40], Gen.Int[0, 40]).Sample((letters, a, b) =>
        {
            // As the store keeps it: no LF without its CR.
            string message = new string([.. letters]).Replace("\r\n", "\n").Replace("\n", "\r\n");
            (a, b) = (Math.Min(a, b) % (message.Length + 1), Math.Max(a, b) % (message.Length + 1));
            (a, b) = (Math.Min(a, b), Math.Max(a, b));
            string sent = Send([message]);
            Assert.Equal(sent, Send([message[..a], message[a..b], message[b..]]));
            Assert.EndsWith(".\r\n", sent);
            string[] lines = sent[..^3].Split("\r\n");
            Assert.DoesNotContain(".", lines);
            string read = string.Join("\r\n", lines.Select(static l => l.StartsWith('.') ? l[1..] : l));
            Assert.Equal(message.Length == 0 || message.EndsWith("\r\n", StringComparison.Ordinal) ? message : message + "\r\n", read);
        });

    private static string Send(string[] pieces)
    {
        var output = new ArrayBufferWriter<byte>();
        var stuffing = new DotStuffing();
        foreach (string piece in pieces)
            stuffing.Write(Encoding.Latin1.GetBytes(piece), output);
        stuffing.End(output);
        return Encoding.Latin1.GetString(output.WrittenSpan);
    }
}
