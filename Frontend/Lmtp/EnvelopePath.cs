using System.Text;

namespace MailCluster.Lmtp;

/// <summary>The argument of MAIL and RCPT (RFC 5321 section 4.1.2): a path in angle brackets and parameters.</summary>
/// <param name="Address">local-part@domain without quoting; empty for the null reverse-path.</param>
/// <param name="Parameters">Keyword in upper case and value, null without one.</param>
internal sealed record EnvelopePath(string Address, IReadOnlyList<KeyValuePair<string, string?>> Parameters)
{
    /// <summary>Octets of an address; RFC 5321 section 4.5.3.1.3 allows 256.</summary>
    private const int MaxLength = 512;

    public bool IsAscii => Ascii.IsValid(Address);

    /// <summary>Reads what follows "FROM:" or "TO:"; null when it is no path. Blanks behind the colon are passed over, as many clients write them.</summary>
    public static EnvelopePath? Parse(string text)
    {
        text = text.TrimStart(' ');
        if (text.Length == 0 || text[0] != '<')
            return null;
        int i = 1;
        // A source route is to be accepted and ignored (RFC 5321 appendix F.2): @one,@two:user@three.
        if (i < text.Length && text[i] == '@')
        {
            int colon = text.IndexOf(':');
            if (colon < 0)
                return null;
            i = colon + 1;
        }
        var address = new StringBuilder();
        bool quoted = false;
        for (; ; i++)
        {
            if (i >= text.Length || address.Length > MaxLength)
                return null;
            char c = text[i];
            if (char.IsControl(c))
                return null;
            if (quoted && c == '\\')
            {
                if (++i >= text.Length || char.IsControl(text[i]))
                    return null;
                address.Append(text[i]);
            }
            else if (c == '"')
            {
                quoted = !quoted;
            }
            else if (quoted)
            {
                address.Append(c);
            }
            else if (c == '>')
            {
                break;
            }
            else if (c is ' ' or '<')
            {
                return null;
            }
            else
            {
                address.Append(c);
            }
        }
        string rest = text[(i + 1)..];
        if (rest.Length > 0 && rest[0] != ' ')
            return null;
        var parameters = new List<KeyValuePair<string, string?>>();
        foreach (string word in rest.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            int equals = word.IndexOf('=');
            parameters.Add(equals < 0 ? new(word.ToUpperInvariant(), null) : new(word[..equals].ToUpperInvariant(), word[(equals + 1)..]));
        }
        return new EnvelopePath(address.ToString(), parameters);
    }
}
