using System.Text;
using CsCheck;
using MailCluster.Pop3.Wire;
using Xunit;

namespace MailCluster.Tests.Unit.Pop3;

public sealed class TopLinesTests
{
    [Theory]
    [InlineData("A: b\r\n\r\none\r\ntwo\r\n", 0, "A: b\r\n\r\n")]
    [InlineData("A: b\r\n\r\none\r\ntwo\r\n", 1, "A: b\r\n\r\none\r\n")]
    [InlineData("A: b\r\n\r\none\r\ntwo\r\n", 10, "A: b\r\n\r\none\r\ntwo\r\n")]
    [InlineData("A: b\r\n\r\none\r\ntwo", 2, "A: b\r\n\r\none\r\ntwo")]
    [InlineData("A: b\r\n\r\n\r\n\r\nx\r\n", 1, "A: b\r\n\r\n\r\n")]
    [InlineData("\r\none\r\ntwo\r\n", 1, "\r\none\r\n")]
    [InlineData("no body\r\n", 5, "no body\r\n")]
    [InlineData("A: b\r\n\r\r\nc: d\r\n\r\nx\r\n", 0, "A: b\r\n\r\r\nc: d\r\n\r\n")]
    [InlineData("", 3, "")]
    public void The_header_and_some_lines(string message, int lines, string top) => Assert.Equal(top, Take([message], lines));

    [Fact]
    public void What_is_taken_depends_on_no_division() =>
        Gen.Char["\r\na"].List[0, 30].Select(Gen.Int[0, 3], Gen.Int[0, 100]).Sample((letters, lines, division) =>
        {
            string message = new string([.. letters]).Replace("\r\n", "\n").Replace("\n", "\r\n");
            int at = division % (message.Length + 1);
            Assert.Equal(Take([message], lines), Take([message[..at], message[at..]], lines));
        });

    private static string Take(string[] pieces, int lines)
    {
        var top = new TopLines(lines);
        var taken = new StringBuilder();
        foreach (string piece in pieces)
        {
            taken.Append(Encoding.Latin1.GetString(top.Take(Encoding.Latin1.GetBytes(piece), out bool ended)));
            if (ended)
                break;
        }
        return taken.ToString();
    }
}
