using System.Text;

namespace MailCluster.Sasl;

/// <summary>The channel binding that a client's first message speaks of (RFC 5802 §6).</summary>
internal enum BindingFlag
{
    /// <summary>'n': the client has none.</summary>
    None,

    /// <summary>'y': it has, and believes that the server has none.</summary>
    NotOffered,

    /// <summary>'p': it uses one.</summary>
    Used,
}

/// <summary>client-first-message (RFC 5802 §7).</summary>
/// <param name="Binding">The name behind p=.</param>
/// <param name="Gs2Header">As it came: bound into the proof.</param>
/// <param name="Bare">Behind the header: part of what is signed.</param>
internal sealed record ScramFirst(BindingFlag Flag, string? Binding, string? Authorize, string User, string Nonce, string Gs2Header, string Bare)
{
    /// <summary>Null for what is not well formed, or asks for an extension that is mandatory (m=).</summary>
    public static ScramFirst? Parse(ReadOnlySpan<byte> message)
    {
        if (ScramText.Of(message) is not { } text || text.Split(',') is not [{ } flag, { } authzid, { } user, { } nonce, ..])
            return null;
        (BindingFlag Kind, string? Name)? binding = flag switch
        {
            "n" => (BindingFlag.None, null),
            "y" => (BindingFlag.NotOffered, null),
            ['p', '=', .. { Length: > 0 } name] => (BindingFlag.Used, name),
            _ => null,
        };
        string? authorize = null;
        if (authzid.Length > 0 && (!authzid.StartsWith("a=", StringComparison.Ordinal) || (authorize = ScramText.Name(authzid[2..])) is null))
            return null;
        if (binding is not var (kind, used) || !user.StartsWith("n=", StringComparison.Ordinal) || ScramText.Name(user[2..]) is not { } name2
            || !nonce.StartsWith("r=", StringComparison.Ordinal) || !ScramText.IsNonce(nonce[2..]))
            return null;
        int header = flag.Length + authzid.Length + 2;
        return new ScramFirst(kind, used, authorize, name2, nonce[2..], text[..header], text[header..]);
    }
}

/// <summary>client-final-message (RFC 5802 §7).</summary>
/// <param name="Binding">What c= carries: the first message's header, and the channel's data.</param>
/// <param name="WithoutProof">Part of what is signed.</param>
internal sealed record ScramFinal(byte[] Binding, string Nonce, byte[] Proof, string WithoutProof)
{
    public static ScramFinal? Parse(ReadOnlySpan<byte> message)
    {
        if (ScramText.Of(message) is not { } text || text.LastIndexOf(",p=", StringComparison.Ordinal) is var proof && proof < 0)
            return null;
        string without = text[..proof];
        return without.Split(',') is [{ } binding, { } nonce, ..] && binding.StartsWith("c=", StringComparison.Ordinal) && nonce.StartsWith("r=", StringComparison.Ordinal)
            && SaslText.TryDecode(Encoding.ASCII.GetBytes(binding[2..]), out byte[] bound) && SaslText.TryDecode(Encoding.ASCII.GetBytes(text[(proof + 3)..]), out byte[] shown)
            ? new ScramFinal(bound, nonce[2..], shown, without) : null;
    }
}

internal static class ScramText
{
    private static readonly UTF8Encoding _strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Null for what is no UTF-8, or has a NUL.</summary>
    public static string? Of(ReadOnlySpan<byte> message) =>
        System.Text.Unicode.Utf8.IsValid(message) && !message.Contains((byte)0) ? _strict.GetString(message) : null;

    /// <summary>saslname: "=2C" is a comma, "=3D" an equals sign, no other '=' may be there; null for what is none.</summary>
    public static string? Name(string text)
    {
        string name = text.Replace("=2C", ",").Replace("=3D", "\u0001");
        return text.Length == 0 || text.Contains('\u0001') || name.Contains('=') ? null : name.Replace('\u0001', '=');
    }

    /// <summary>Printable ASCII without commas; of a length that nobody needs to exceed.</summary>
    public static bool IsNonce(string text) => text.Length is > 0 and <= 256 && text.All(static c => c is >= '!' and <= '~' and not ',');
}
