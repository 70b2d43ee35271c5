using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MailCluster.Contracts;

namespace MailCluster.Storage.Directories;

/// <summary>
/// What is kept of a password: a SCRAM verifier in the form of RFC 5803, <c>SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey</c> (base64).
/// It tells neither the password, nor is it enough to log in. SCRAM-SHA-1 is there for tenants that keep both.
/// </summary>
public sealed class ScramVerifier
{
    /// <summary>Of new verifiers, and of what is told about users who have none.</summary>
    public const int NewIterations = 4096;

    /// <summary>A verifier that was brought along costs at most some 0.3 s.</summary>
    public const int MaxIterations = 1_000_000;

    private const int SaltSize = 16;

    private readonly byte[] _storedKey;
    private readonly byte[] _serverKey;

    private ScramVerifier(ScramHash hash, int iterations, byte[] salt, byte[] storedKey, byte[] serverKey) =>
        (Hash, Iterations, Salt, _storedKey, _serverKey) = (hash, iterations, salt, storedKey, serverKey);

    public ScramHash Hash { get; }

    public int Iterations { get; }

    public byte[] Salt { get; }

    /// <summary>Nobody's: verifying against it takes as long as against a real one, so that time does not tell whether a user exists.</summary>
    public static string Decoy { get; } = Create(Convert.ToBase64String(RandomNumberGenerator.GetBytes(24)));

    /// <summary>A verifier with a fresh salt, or a given one.</summary>
    public static string Create(string password, ScramHash hash = ScramHash.Sha256, byte[]? salt = null)
    {
        salt ??= RandomNumberGenerator.GetBytes(SaltSize);
        return Of(hash, password, salt, NewIterations).ToString();
    }

    /// <summary>Null for text that is no verifier, or one that would take too long.</summary>
    public static ScramVerifier? Parse(string? text)
    {
        // scheme $ iterations : salt $ StoredKey : ServerKey
        if (text?.Split('$', ':') is not [{ } scheme, { } rounds, { } salt64, { } stored64, { } server64])
            return null;
        ScramHash hash = scheme == "SCRAM-SHA-1" ? ScramHash.Sha1 : ScramHash.Sha256;
        return scheme is "SCRAM-SHA-256" or "SCRAM-SHA-1"
            && int.TryParse(rounds, NumberStyles.None, CultureInfo.InvariantCulture, out int iterations) && iterations is >= 1 and <= MaxIterations
            && Decode(salt64) is { Length: > 0 } salt && Decode(stored64) is { } stored && stored.Length == Size(hash) && Decode(server64) is { } server && server.Length == Size(hash)
            ? new ScramVerifier(hash, iterations, salt, stored, server) : null;
    }

    /// <summary>True when the verifier was made of this password; false also for what is no verifier.</summary>
    public static bool Verify(string password, string verifier) => Parse(verifier)?.Verify(password) ?? false;

    /// <summary>True for text that <see cref="Verify(string, string)"/> understands: verifiers can be brought along from elsewhere.</summary>
    public static bool IsVerifier(string text) => Parse(text) is { Hash: ScramHash.Sha256 };

    /// <summary>True when the verifier was made of this password. Costs all its iterations.</summary>
    public bool Verify(string password) => CryptographicOperations.FixedTimeEquals(Of(Hash, password, Salt, Iterations)._storedKey, _storedKey);

    /// <summary>Checks a client's proof (RFC 5802 §3): the server's signature where it is right, otherwise null.</summary>
    public byte[]? Verify(byte[] authMessage, byte[] clientProof)
    {
        byte[] clientKey = Hmac(Hash, _storedKey, authMessage);
        if (clientProof.Length != clientKey.Length)
            return null;
        for (int i = 0; i < clientKey.Length; i++)
            clientKey[i] ^= clientProof[i];
        return CryptographicOperations.FixedTimeEquals(Digest(Hash, clientKey), _storedKey) ? Hmac(Hash, _serverKey, authMessage) : null;
    }

    public override string ToString() =>
        $"{(Hash == ScramHash.Sha1 ? "SCRAM-SHA-1" : "SCRAM-SHA-256")}${Iterations}:{Convert.ToBase64String(Salt)}${Convert.ToBase64String(_storedKey)}:{Convert.ToBase64String(_serverKey)}";

    // RFC 5802 §3.
    private static ScramVerifier Of(ScramHash hash, string password, byte[] salt, int iterations)
    {
        byte[] salted = Rfc2898DeriveBytes.Pbkdf2(Prepare(password), salt, iterations, hash == ScramHash.Sha1 ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256, Size(hash));
        byte[] clientKey = Hmac(hash, salted, "Client Key"u8.ToArray());
        return new ScramVerifier(hash, iterations, salt, Digest(hash, clientKey), Hmac(hash, salted, "Server Key"u8.ToArray()));
    }

    private static int Size(ScramHash hash) => hash == ScramHash.Sha1 ? 20 : 32;

    private static byte[] Hmac(ScramHash hash, byte[] key, byte[] message) => hash == ScramHash.Sha1 ? HMACSHA1.HashData(key, message) : HMACSHA256.HashData(key, message);

    private static byte[] Digest(ScramHash hash, byte[] key) => hash == ScramHash.Sha1 ? SHA1.HashData(key) : SHA256.HashData(key);

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
