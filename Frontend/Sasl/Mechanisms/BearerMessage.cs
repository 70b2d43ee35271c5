namespace MailCluster.Sasl;

/// <summary>The client's message of OAUTHBEARER (RFC 7628 §3.1) or XOAUTH2 (Google's, which came before).</summary>
/// <param name="User">Whom the client says it is: the authorization identity; null where it does not say.</param>
/// <param name="Token">Never logged.</param>
internal sealed record BearerMessage(string? User, string Token)
{
    private const char Separator = '\u0001';

    /// <summary>Null for what is not well formed.</summary>
    public static BearerMessage? Parse(ReadOnlySpan<byte> message, bool google)
    {
        if (ScramText.Of(message) is not { } text)
            return null;
        // All pairs end in a separator, and one more ends the message.
        if (!text.EndsWith("\u0001\u0001", StringComparison.Ordinal))
            return null;
        string[] pairs = text[..^2].Split(Separator);
        string? user;
        if (google)
        {
            if (!pairs[0].StartsWith("user=", StringComparison.Ordinal))
                return null;
            user = pairs[0][5..];
        }
        // gs2-header: no channel binding, an authzid or none.
        else if (pairs[0].Split(',') is ["n" or "y", { } authzid, ""] && (authzid.Length == 0 || authzid.StartsWith("a=", StringComparison.Ordinal)))
        {
            user = authzid.Length == 0 ? "" : ScramText.Name(authzid[2..]);
            if (user is null)
                return null;
        }
        else
            return null;
        string? auth = null;
        foreach (string pair in pairs.Skip(1))
        {
            if (pair.StartsWith("auth=", StringComparison.OrdinalIgnoreCase))
                auth = pair[5..];
        }
        return auth is not null && auth.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) && auth[7..].Trim() is { Length: > 0 } token
            ? new BearerMessage(user.Length == 0 ? null : user, token) : null;
    }

    public override string ToString() => User ?? "";
}
