using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;

namespace MailCluster.Storage.Directories;

/// <summary>Argon2 (RFC 9106) in PHC's form: $argon2id$v=19$m=65536,t=3,p=4$salt$hash, by Bouncy Castle.</summary>
internal sealed class Argon2Hash(int type, int version, int memory, int passes, int lanes, byte[] salt, byte[] expected) : PasswordHash
{
    /// <summary>KB. As many run at a time as there are processors (<see cref="HashWork"/>).</summary>
    private const int MaxMemory = 128 * 1024;

    /// <summary>KB times passes: about a second.</summary>
    private const long MaxWork = 512 * 1024;

    private const int MaxLanes = 16;

    public override string? TooExpensive => memory > MaxMemory || (long)memory * passes > MaxWork || lanes > MaxLanes
        ? $"An argon2 hash with m={memory},t={passes},p={lanes} takes too much: at most m={MaxMemory}, p={MaxLanes} and m times t={MaxWork} are accepted." : null;

    public static new Argon2Hash? Parse(string value)
    {
        string[] parts = value.Split('$');
        // Version 16 had no field of its own.
        if (parts.Length == 5)
            parts = [.. parts[..2], "v=16", .. parts[2..]];
        int? type = parts is ["", { } name, ..] ? name switch { "argon2id" => Argon2Parameters.Argon2id, "argon2i" => Argon2Parameters.Argon2i, _ => null } : null;
        if (type is null || parts.Length != 6 || parts[2] is not ("v=19" or "v=16") || parts[3].Split(',') is not [{ } m, { } t, { } p])
            return null;
        return Number("m=", m) is { } memory && Number("t=", t) is { } passes && Number("p=", p) is { } lanes && memory >= 8 * lanes
            && Decode(parts[4]) is { Length: >= 8 and <= 64 } salt && Decode(parts[5]) is { Length: >= 16 and <= 64 } hash
            ? new Argon2Hash(type.Value, parts[2] == "v=19" ? Argon2Parameters.Version13 : Argon2Parameters.Version10, memory, passes, lanes, salt, hash) : null;
    }

    public override bool Verify(string password)
    {
        var generator = new Argon2BytesGenerator();
        generator.Init(new Argon2Parameters.Builder(type).WithVersion(version).WithMemoryAsKB(memory).WithIterations(passes).WithParallelism(lanes).WithSalt(salt).Build());
        var hash = new byte[expected.Length];
        generator.GenerateBytes(Encoding.UTF8.GetBytes(password), hash);
        return CryptographicOperations.FixedTimeEquals(hash, expected);
    }

    private static int? Number(string name, string text) =>
        text.StartsWith(name, StringComparison.Ordinal) && int.TryParse(text.AsSpan(name.Length), NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number is > 0 and < 1 << 24
            ? number : null;

    private static byte[]? Decode(string base64)
    {
        // PHC leaves the padding out.
        string padded = base64.PadRight((base64.Length + 3) / 4 * 4, '=');
        var bytes = new byte[padded.Length];
        return Convert.TryFromBase64String(padded, bytes, out int length) ? bytes[..length] : null;
    }
}
