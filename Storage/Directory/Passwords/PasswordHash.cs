using System.Security.Cryptography;
using System.Text;

namespace MailCluster.Storage.Directories;

/// <summary>A password's hash of another system, with its salt and cost.</summary>
internal abstract class PasswordHash
{
    /// <summary>Why verifying would take too much of a node, in a sentence; null where it does not.</summary>
    public virtual string? TooExpensive => null;

    public abstract bool Verify(string password);

    /// <summary>Null for an unknown scheme and for what is not well formed.</summary>
    public static PasswordHash? Parse(string text)
    {
        if (StoredPassword.TrySplit(text) is not { } split)
            return null;
        (string scheme, string value) = split;
        return scheme switch
        {
            // crypt(3) of any kind says itself which it is.
            "CRYPT" or "MD5-CRYPT" or "SHA256-CRYPT" or "SHA512-CRYPT" or "BLF-CRYPT" or "BCRYPT" => Crypt(value),
            "ARGON2ID" or "ARGON2I" or "ARGON2" => Argon2Hash.Parse(value),
            "PBKDF2" or "PBKDF2-SHA1" or "PBKDF2-SHA256" or "PBKDF2-SHA512" => Pbkdf2Hash.Parse(scheme, value),
            _ => SaltedDigest.Parse(scheme, value),
        };
    }

    private static PasswordHash? Crypt(string value) =>
        value.StartsWith("$1$", StringComparison.Ordinal) ? Md5Crypt.Parse(value)
        : value.StartsWith("$5$", StringComparison.Ordinal) || value.StartsWith("$6$", StringComparison.Ordinal) ? ShaCrypt.Parse(value)
        : value.StartsWith("$2", StringComparison.Ordinal) ? BcryptHash.Parse(value)
        : null;

    /// <summary>True for equal texts, after the same time for any that differ.</summary>
    protected static bool Same(string one, string other) => CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(one), Encoding.ASCII.GetBytes(other));
}
