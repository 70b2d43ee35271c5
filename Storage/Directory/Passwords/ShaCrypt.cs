using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MailCluster.Storage.Directories;

/// <summary>crypt(3)'s $5$ and $6$: "Unix crypt using SHA-256 and SHA-512", U. Drepper 2007. .NET has none, and no kept package does it alone.</summary>
internal sealed class ShaCrypt(bool wide, int rounds, string salt, string expected) : PasswordHash
{
    private const int DefaultRounds = 5000;
    private const int MinRounds = 1000;

    /// <summary>Some 0.5 s.</summary>
    private const int MaxRounds = 500_000;

    private static readonly int[] _places256 =
        [0, 10, 20, 21, 1, 11, 12, 22, 2, 3, 13, 23, 24, 4, 14, 15, 25, 5, 6, 16, 26, 27, 7, 17, 18, 28, 8, 9, 19, 29, -1, 31, 30];

    private static readonly int[] _places512 = Places512();

    public override string? TooExpensive => rounds > MaxRounds ? $"A hash of {rounds} rounds takes too long: at most {MaxRounds} are accepted." : null;

    /// <summary>$5$[rounds=N$]salt$hash</summary>
    public static new ShaCrypt? Parse(string value)
    {
        bool wide = value[1] == '6';
        string[] parts = value[3..].Split('$');
        int rounds = DefaultRounds;
        if (parts.Length == 3 && parts[0].StartsWith("rounds=", StringComparison.Ordinal))
        {
            if (!int.TryParse(parts[0].AsSpan(7), NumberStyles.None, CultureInfo.InvariantCulture, out rounds))
                return null;
            rounds = Math.Max(rounds, MinRounds);
            parts = parts[1..];
        }
        return parts is [{ Length: <= 16 } salt, { } hash] && hash.Length == (wide ? 86 : 43) && ModularCrypt.IsEncoded(hash) ? new ShaCrypt(wide, rounds, salt, hash) : null;
    }

    public override bool Verify(string password) => Same(Hash(password), expected);

    private string Hash(string password)
    {
        HashAlgorithmName name = wide ? HashAlgorithmName.SHA512 : HashAlgorithmName.SHA256;
        byte[] key = Encoding.UTF8.GetBytes(password), salted = Encoding.UTF8.GetBytes(salt);
        using IncrementalHash hash = IncrementalHash.CreateHash(name);
        // Digest B, then A, of which B is a part (steps 1 to 12).
        hash.AppendData(key);
        hash.AppendData(salted);
        hash.AppendData(key);
        byte[] digest = hash.GetHashAndReset();
        hash.AppendData(key);
        hash.AppendData(salted);
        hash.AppendData(Stretch(digest, key.Length));
        for (int bits = key.Length; bits > 0; bits >>= 1)
            hash.AppendData((bits & 1) != 0 ? digest : key);
        digest = hash.GetHashAndReset();
        // The sequences P and S (steps 13 to 20).
        for (int i = 0; i < key.Length; i++)
            hash.AppendData(key);
        byte[] p = Stretch(hash.GetHashAndReset(), key.Length);
        for (int i = 0; i < 16 + digest[0]; i++)
            hash.AppendData(salted);
        byte[] s = Stretch(hash.GetHashAndReset(), salted.Length);
        // The rounds (step 21).
        for (int round = 0; round < rounds; round++)
        {
            bool odd = (round & 1) != 0;
            hash.AppendData(odd ? p : digest);
            if (round % 3 != 0)
                hash.AppendData(s);
            if (round % 7 != 0)
                hash.AppendData(p);
            hash.AppendData(odd ? digest : p);
            digest = hash.GetHashAndReset();
        }
        return wide ? ModularCrypt.Encode(digest, _places512, 2) : ModularCrypt.Encode(digest, _places256, 3);
    }

    private static byte[] Stretch(byte[] digest, int length)
    {
        var stretched = new byte[length];
        for (int i = 0; i < length; i++)
            stretched[i] = digest[i % digest.Length];
        return stretched;
    }

    // 0 21 42, then each group one further and turned by one place; 63 stands alone.
    private static int[] Places512()
    {
        var places = new List<int>();
        for (int i = 0; i < 21; i++)
        {
            int[] group = [i, i + 21, i + 42];
            places.AddRange([group[i % 3], group[(i + 1) % 3], group[(i + 2) % 3]]);
        }
        places.AddRange([-1, -1, 63]);
        return [.. places];
    }
}
