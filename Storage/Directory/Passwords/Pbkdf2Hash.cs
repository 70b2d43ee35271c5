using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MailCluster.Storage.Directories;

/// <summary>
/// PBKDF2 (RFC 8018) in three forms: passlib's and OpenLDAP's rounds$salt$hash, with or without $pbkdf2-sha256$ in front, in their base64 ('.' for '+', no padding),
/// and Dovecot's {PBKDF2}$1$salt$rounds$hash, with the salt as it is and the hash in hexadecimal.
/// </summary>
internal sealed class Pbkdf2Hash(HashAlgorithmName algorithm, int rounds, byte[] salt, byte[] expected) : PasswordHash
{
    /// <summary>Some 0.5 s.</summary>
    private const int MaxRounds = 1_000_000;

    public override string? TooExpensive => rounds > MaxRounds ? $"A hash of {rounds} rounds takes too long: at most {MaxRounds} are accepted." : null;

    public static Pbkdf2Hash? Parse(string scheme, string value)
    {
        HashAlgorithmName algorithm = scheme switch { "PBKDF2-SHA256" => HashAlgorithmName.SHA256, "PBKDF2-SHA512" => HashAlgorithmName.SHA512, _ => HashAlgorithmName.SHA1 };
        if (scheme == "PBKDF2" && value.Split('$') is ["", "1", { Length: > 0 } plain, { } often, { Length: > 0 } hex] && Rounds(often) is { } times)
            return Hex(hex) is { Length: >= 16 and <= 64 } bytes ? new Pbkdf2Hash(algorithm, times, Encoding.UTF8.GetBytes(plain), bytes) : null;
        string[] parts = value.Split('$');
        if (parts is ["", { } name, _, _, _] && name.Equals(scheme == "PBKDF2" || scheme == "PBKDF2-SHA1" ? "pbkdf2" : scheme, StringComparison.OrdinalIgnoreCase))
            parts = parts[2..];
        return parts is [{ } count, { } salt64, { } hash64] && Rounds(count) is { } rounds && Decode(salt64) is { Length: >= 4 and <= 1024 } salt && Decode(hash64) is { Length: >= 16 and <= 64 } hash
            ? new Pbkdf2Hash(algorithm, rounds, salt, hash) : null;
    }

    public override bool Verify(string password) =>
        CryptographicOperations.FixedTimeEquals(Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), salt, rounds, algorithm, expected.Length), expected);

    private static int? Rounds(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int rounds) && rounds > 0 ? rounds : null;

    private static byte[]? Hex(string text)
    {
        try
        {
            return Convert.FromHexString(text);
        }
        catch (FormatException)
        {
            return null;
        }
    }

    private static byte[]? Decode(string text)
    {
        string padded = text.Replace('.', '+').TrimEnd('=');
        padded = padded.PadRight((padded.Length + 3) / 4 * 4, '=');
        var bytes = new byte[padded.Length];
        return Convert.TryFromBase64String(padded, bytes, out int length) ? bytes[..length] : null;
    }
}
