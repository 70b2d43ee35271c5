using Xunit;

namespace MailCluster.Tests.Unit.Content;

/// <summary>Reads lists as an IMAP client does, to see that they are well-formed.</summary>
internal static class ImapText
{
    /// <summary>The text is one parenthesized list of strings, literals, atoms and lists, and nothing after it. Of millions of characters: what is said of a failure is made for one.</summary>
    public static void AssertOneList(string text)
    {
        var depth = 0;
        for (var i = 0; i < text.Length; i++)
        {
            switch (text[i])
            {
                case '(':
                    depth++;
                    break;
                case ')':
                    depth--;
                    if (depth <= 0 && i != text.Length - 1)
                        Assert.Fail($"list ends at {i} of {text.Length}");
                    break;
                case '"':
                    for (i++; text[i] != '"'; i++)
                    {
                        if (text[i] is '\r' or '\n' or '\0')
                            Assert.Fail($"no octet of a quoted string at {i}");
                        if (text[i] == '\\')
                            i++;
                    }
                    break;
                case '{':
                    var end = text.IndexOf('}', i);
                    var length = int.Parse(text[(i + 1)..end]);
                    Assert.Equal("\r\n", text.Substring(end + 1, 2));
                    i = end + 2 + length;
                    Assert.DoesNotContain('\0', text.Substring(end + 3, length));
                    break;
                default:
                    if (text[i] != ' ' && !char.IsAsciiLetterOrDigit(text[i]))
                        Assert.Fail($"stray '{text[i]}' at {i}");
                    break;
            }
        }
        Assert.Equal(0, depth);
    }
}
