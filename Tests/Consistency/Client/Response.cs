namespace MailCluster.Consistency.Client;

/// <summary>A response code in brackets (RFC 9051 §7.1): its name in upper case, and what follows.</summary>
internal sealed record ResponseCode(string Name, IReadOnlyList<Token> Arguments);

/// <summary>One response of the server (RFC 9051 §7).</summary>
/// <param name="Tag">"*", "+", or the tag of a command.</param>
/// <param name="Number">Of "* 23 EXISTS" and the like.</param>
/// <param name="Name">In upper case; "" for a continuation request.</param>
/// <param name="Arguments">Of untagged data; empty for OK, NO, BAD, BYE, PREAUTH.</param>
/// <param name="Text">What a status response says to people.</param>
internal sealed record Response(string Tag, uint? Number, string Name, IReadOnlyList<Token> Arguments, ResponseCode? Code, string Text)
{
    public bool IsUntagged => Tag == "*";

    public bool IsContinuation => Tag == "+";

    public bool IsTagged => !IsUntagged && !IsContinuation;
}

/// <summary>A line as it came: text in Latin-1 form, in which each literal stands as "{n}" and CRLF, and the octets of these literals.</summary>
internal sealed record ReplyLine(string Text, IReadOnlyList<byte[]> Literals);
