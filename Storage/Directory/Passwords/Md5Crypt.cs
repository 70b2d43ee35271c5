using System.Security.Cryptography;
using System.Text;

namespace MailCluster.Storage.Directories;

/// <summary>crypt(3)'s $1$, from FreeBSD (P.-H. Kamp): a thousand rounds of MD5.</summary>
internal sealed class Md5Crypt(string salt, string expected) : PasswordHash
{
    private static readonly int[] _places = [0, 6, 12, 1, 7, 13, 2, 8, 14, 3, 9, 15, 4, 10, 5, -1, -1, 11];

    /// <summary>$1$salt$hash</summary>
    public static new Md5Crypt? Parse(string value) =>
        value[3..].Split('$') is [{ Length: <= 8 } salt, { Length: 22 } hash] && ModularCrypt.IsEncoded(hash) ? new Md5Crypt(salt, hash) : null;

    public override bool Verify(string password)
    {
        byte[] key = Encoding.UTF8.GetBytes(password), salted = Encoding.UTF8.GetBytes(salt);
        byte[] digest = MD5.HashData([.. key, .. salted, .. key]);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
        hash.AppendData(key);
        hash.AppendData("$1$"u8);
        hash.AppendData(salted);
        for (int left = key.Length; left > 0; left -= 16)
            hash.AppendData(digest.AsSpan(0, Math.Min(left, 16)));
        for (int bits = key.Length; bits > 0; bits >>= 1)
            hash.AppendData((bits & 1) != 0 ? new byte[1] : key[..1]);
        digest = hash.GetHashAndReset();
        for (int round = 0; round < 1000; round++)
        {
            bool odd = (round & 1) != 0;
            hash.AppendData(odd ? key : digest);
            if (round % 3 != 0)
                hash.AppendData(salted);
            if (round % 7 != 0)
                hash.AppendData(key);
            hash.AppendData(odd ? digest : key);
            digest = hash.GetHashAndReset();
        }
        return Same(ModularCrypt.Encode(digest, _places, 2), expected);
    }
}
