using System.Security.Cryptography;
using System.Text;

namespace MailCluster.Grains;

/// <summary>The password that was right last, for some minutes, as a hash under a key of this activation alone: who logs in for every check costs no password hash. Any thread.</summary>
internal sealed class PasswordMemory(AccountOptions options, TimeProvider time)
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private Right? _right;

    /// <summary>True when this password was right for this verifier; false says nothing.</summary>
    public bool Knows(string password, string? verifier) => Volatile.Read(ref _right) is { } last && last.Verifier == verifier && time.GetElapsedTime(last.At) < options.PasswordMemory
        && CryptographicOperations.FixedTimeEquals(last.Hash, Hash(password));

    public void Learn(string password, string verifier) => Volatile.Write(ref _right, new Right(Hash(password), verifier, time.GetTimestamp()));

    /// <summary>The password was changed: what was right is no longer.</summary>
    public void Forget() => Volatile.Write(ref _right, null);

    private byte[] Hash(string password) => HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(password));

    private sealed record Right(byte[] Hash, string Verifier, long At);
}
