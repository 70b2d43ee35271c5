using System.Security.Cryptography;
using System.Text;

namespace MailCluster.Storage.Directories;

/// <summary>{SHA}, {SSHA}, {SHA256}, {SSHA256}, {SHA512}, {SSHA512}, {SMD5}: base64 or hexadecimal of digest(password salt) salt, as OpenLDAP and Dovecot write them.</summary>
internal sealed class SaltedDigest(HashAlgorithmName algorithm, byte[] digest, byte[] salt) : PasswordHash
{
    private const int MaxSalt = 64;

    public static SaltedDigest? Parse(string scheme, string value)
    {
        string encoding = "";
        int dot = scheme.IndexOf('.');
        if (dot >= 0)
            (scheme, encoding) = (scheme[..dot], scheme[(dot + 1)..]);
        (HashAlgorithmName Name, int Size, bool Salted)? kind = scheme switch
        {
            "SHA" or "SHA1" => (HashAlgorithmName.SHA1, 20, false),
            "SSHA" => (HashAlgorithmName.SHA1, 20, true),
            "SHA256" => (HashAlgorithmName.SHA256, 32, false),
            "SSHA256" => (HashAlgorithmName.SHA256, 32, true),
            "SHA512" => (HashAlgorithmName.SHA512, 64, false),
            "SSHA512" => (HashAlgorithmName.SHA512, 64, true),
            "SMD5" => (HashAlgorithmName.MD5, 16, true),
            _ => null,
        };
        if (kind is not var (name, size, salted) || Decode(encoding, value) is not { } bytes || bytes.Length < size)
            return null;
        int salt = bytes.Length - size;
        return salted ? salt is >= 1 and <= MaxSalt ? new(name, bytes[..size], bytes[size..]) : null : salt == 0 ? new(name, bytes, []) : null;
    }

    public override bool Verify(string password) =>
        CryptographicOperations.FixedTimeEquals(CryptographicOperations.HashData(algorithm, [.. Encoding.UTF8.GetBytes(password), .. salt]), digest);

    private static byte[]? Decode(string encoding, string value)
    {
        try
        {
            return encoding switch
            {
                "" or "B64" or "BASE64" => Convert.FromBase64String(value),
                "HEX" => Convert.FromHexString(value),
                _ => null,
            };
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
