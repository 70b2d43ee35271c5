using System.Security.Cryptography;
using System.Text;
using MailCluster.Storage.Directories;

namespace MailCluster.Grains;

/// <summary>
/// Checks passwords against the verifier: that costs some thousand rounds of a hash and runs on the thread pool, never on the owner's turn; one that was right is
/// remembered for some minutes as a hash under a key of this activation alone. Wrong ones make the next answer come later: to the same address, and to
/// every address that never got it right here, so that guessing from many addresses is slow too and does not lock the owner out. Any thread.
/// </summary>
internal sealed class PasswordMemory(AccountOptions options, TimeProvider time)
{
    private const int _mostAddresses = 1000;

    /// <summary>Wrong passwords from strangers that are forgiven before all strangers wait.</summary>
    private const int _forgiven = 3;

    private static readonly TimeSpan _forgottenAfter = TimeSpan.FromMinutes(15);

    private readonly Lock _gate = new();
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly Dictionary<string, (int Count, long At)> _failures = [];
    private readonly HashSet<string> _known = [];
    private Right? _right;
    private (int Count, long At) _strangers;

    /// <summary>True when the password is right.</summary>
    public async ValueTask<bool> CheckAsync(string? verifier, string password, string address)
    {
        if (Delay(address) is { Ticks: > 0 } delay)
            await Task.Delay(delay, time);
        byte[] hash = Hash(password);
        // An account without a password takes as long to say no as one with another password.
        bool remembered = IsRemembered(verifier, hash);
        bool right = remembered
            || (await Task.Run(() => ScramVerifier.Verify(password, verifier ?? ScramVerifier.Decoy)) && verifier is not null);
        lock (_gate)
        {
            if (right)
            {
                if (!remembered)
                    _right = new Right(hash, verifier!, time.GetTimestamp());
                Welcome(address);
                return true;
            }
            if (_failures.Count >= _mostAddresses)
                _failures.Clear();
            _failures[address] = (Recent(_failures.GetValueOrDefault(address)) + 1, time.GetTimestamp());
            if (!_known.Contains(address))
                _strangers = (Recent(_strangers) + 1, time.GetTimestamp());
            return false;
        }
    }

    /// <summary>True when the password is the one that was right before, and nothing is slowed down at this address; false says nothing.</summary>
    public bool Remembers(string? verifier, string password, string address)
    {
        if (Delay(address) > TimeSpan.Zero || !IsRemembered(verifier, Hash(password)))
            return false;
        lock (_gate)
            Welcome(address);
        return true;
    }

    /// <summary>The password was changed: what was right is no longer.</summary>
    public void Forget()
    {
        lock (_gate)
            _right = null;
    }

    private byte[] Hash(string password) => HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(password));

    private bool IsRemembered(string? verifier, byte[] hash)
    {
        Right? last;
        lock (_gate)
            last = _right;
        return last is not null && last.Verifier == verifier && time.GetElapsedTime(last.At) < options.PasswordMemory
            && CryptographicOperations.FixedTimeEquals(last.Hash, hash);
    }

    private void Welcome(string address)
    {
        _failures.Remove(address);
        if (_known.Count < _mostAddresses)
            _known.Add(address);
    }

    private TimeSpan Delay(string address)
    {
        lock (_gate)
        {
            int failures = Recent(_failures.GetValueOrDefault(address));
            if (!_known.Contains(address))
                failures = Math.Max(failures, Recent(_strangers) - _forgiven);
            return failures <= 0
                ? TimeSpan.Zero
                : TimeSpan.FromMilliseconds(Math.Min(options.FirstDelay.TotalMilliseconds * Math.Pow(2, Math.Min(failures - 1, 16)), options.LongestDelay.TotalMilliseconds));
        }
    }

    private int Recent((int Count, long At) failures) => failures.Count > 0 && time.GetElapsedTime(failures.At) < _forgottenAfter ? failures.Count : 0;

    private sealed record Right(byte[] Hash, string Verifier, long At);
}
