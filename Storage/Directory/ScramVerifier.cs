using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MailCluster.Storage.Directories;

/// <summary>
/// What is kept of a password: a SCRAM-SHA-256 verifier in the form of RFC 5803,
/// <c>SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey</c> (base64). It tells neither the password, nor is it enough to log in.
/// </summary>
public static class ScramVerifier
{
    private const string Scheme = "SCRAM-SHA-256";
    private const int Iterations = 4096;
    private const int MaxIterations = 10_000_000;
    private const int SaltSize = 16;

    /// <summary>Nobody's: verifying against it takes as long as against a real one, so that time does not tell whether a user exists.</summary>
    public static string Decoy { get; } = Create(Convert.ToBase64String(RandomNumberGenerator.GetBytes(24)));

    /// <summary>A verifier with a fresh salt.</summary>
    public static string Create(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltSize);
        var (storedKey, serverKey) = Keys(password, salt, Iterations);
        return $"{Scheme}${Iterations}:{Convert.ToBase64String(salt)}${Convert.ToBase64String(storedKey)}:{Convert.ToBase64String(serverKey)}";
    }

    /// <summary>True when the verifier was made of this password; false also for what is no verifier.</summary>
    public static bool Verify(string password, string verifier)
    {
        // scheme $ iterations : salt $ StoredKey : ServerKey
        var parts = verifier.Split('$', ':');
        if (parts.Length != 5 || parts[0] != Scheme
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var iterations) || iterations is < 1 or > MaxIterations
            || Decode(parts[2]) is not { } salt || Decode(parts[3]) is not { } storedKey)
        {
            return false;
        }
        return CryptographicOperations.FixedTimeEquals(Keys(password, salt, iterations).StoredKey, storedKey);
    }

    /// <summary>True for text that <see cref="Verify"/> understands: verifiers can be brought along from elsewhere.</summary>
    public static bool IsVerifier(string text) =>
        text.Split('$', ':') is [Scheme, _, { } salt, { } stored, { } server]
        && Decode(salt) is { Length: > 0 } && Decode(stored) is { Length: 32 } && Decode(server) is { Length: 32 };

    // RFC 5802 §3.
    private static (byte[] StoredKey, byte[] ServerKey) Keys(string password, byte[] salt, int iterations)
    {
        var salted = Rfc2898DeriveBytes.Pbkdf2(Prepare(password), salt, iterations, HashAlgorithmName.SHA256, 32);
        var clientKey = HMACSHA256.HashData(salted, "Client Key"u8);
        return (SHA256.HashData(clientKey), HMACSHA256.HashData(salted, "Server Key"u8));
    }

    // The mapping of SASLprep (RFC 4013 §2.1): other blanks are blanks, invisible characters nothing. Its normalisation (NFKC) is left out:
    // this program runs without Unicode tables, and what is typed twice on one keyboard is equal without it.
    private static byte[] Prepare(string password)
    {
        if (Ascii.IsValid(password))
            return Encoding.ASCII.GetBytes(password);
        var text = new StringBuilder(password.Length);
        foreach (var c in password)
        {
            if (c is '\u00AD' or '\u034F' or '\u1806' or (>= '\u180B' and <= '\u180D') or (>= '\u200B' and <= '\u200D') or '\u2060' or (>= '\uFE00' and <= '\uFE0F') or '\uFEFF')
                continue;
            text.Append(CharUnicodeInfo.GetUnicodeCategory(c) == UnicodeCategory.SpaceSeparator ? ' ' : c);
        }
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static byte[]? Decode(string base64)
    {
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var length) ? bytes[..length] : null;
    }
}
