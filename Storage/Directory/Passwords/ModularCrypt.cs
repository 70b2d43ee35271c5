using System.Text;

namespace MailCluster.Storage.Directories;

/// <summary>The base64 of crypt(3): other letters, the low bits first.</summary>
internal static class ModularCrypt
{
    private const string Letters = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /// <summary>Writes the octets of a digest three at a time in the places that are named, the first of each three in the highest bits.</summary>
    /// <param name="places">-1 is an octet of zeros.</param>
    /// <param name="last">Letters of the last group.</param>
    public static string Encode(byte[] digest, ReadOnlySpan<int> places, int last)
    {
        var text = new StringBuilder();
        for (int i = 0; i < places.Length; i += 3)
        {
            int bits = (At(places[i]) << 16) | (At(places[i + 1]) << 8) | At(places[i + 2]);
            for (int letter = i + 3 == places.Length ? last : 4; letter > 0; letter--, bits >>= 6)
                text.Append(Letters[bits & 63]);
        }
        return text.ToString();

        int At(int place) => place < 0 ? 0 : digest[place];
    }

    public static bool IsEncoded(string text) => text.All(static c => Letters.Contains(c));
}
