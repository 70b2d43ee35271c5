using System.Security.Cryptography;
using System.Text;
using MailCluster.Storage.Directories;

namespace MailCluster.Grains;

/// <summary>
/// Checks passwords against the verifier: that costs some thousand rounds of a hash and runs on the thread pool, never on the owner's turn; one that was right is
/// remembered for some minutes as a hash under a key of this activation alone. Wrong ones make the next answer come later: to the same address, and to
/// every address that never got it right here, so that guessing from many addresses is slow too and does not lock the owner out.
/// </summary>
internal sealed class PasswordMemory(AccountOptions options, TimeProvider time)
{
    private const int _mostAddresses = 1000;

    /// <summary>Wrong passwords from strangers that are forgiven before all strangers wait.</summary>
    private const int _forgiven = 3;

    private static readonly TimeSpan _forgottenAfter = TimeSpan.FromMinutes(15);

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);
    private readonly Dictionary<string, (int Count, long At)> _failures = [];
    private readonly HashSet<string> _known = [];
    private (byte[] Hash, string Verifier, long At)? _right;
    private (int Count, long At) _strangers;

    /// <summary>True when the password is right.</summary>
    public async ValueTask<bool> CheckAsync(string? verifier, string password, string address)
    {
        await DelayAsync(address);
        byte[] hash = HMACSHA256.HashData(_key, Encoding.UTF8.GetBytes(password));
        bool right = _right is { } last && last.Verifier == verifier && time.GetElapsedTime(last.At) < options.PasswordMemory
            && CryptographicOperations.FixedTimeEquals(last.Hash, hash);
        if (!right)
        {
            // An account without a password takes as long to say no as one with another password.
            right = await Task.Run(() => ScramVerifier.Verify(password, verifier ?? ScramVerifier.Decoy)) && verifier is not null;
            if (right)
                _right = (hash, verifier!, time.GetTimestamp());
        }
        if (right)
        {
            _failures.Remove(address);
            if (_known.Count < _mostAddresses)
                _known.Add(address);
            return true;
        }
        if (_failures.Count >= _mostAddresses)
            _failures.Clear();
        _failures[address] = (Recent(_failures.GetValueOrDefault(address)) + 1, time.GetTimestamp());
        if (!_known.Contains(address))
            _strangers = (Recent(_strangers) + 1, time.GetTimestamp());
        return false;
    }

    /// <summary>The password was changed: what was right is no longer.</summary>
    public void Forget() => _right = null;

    private async ValueTask DelayAsync(string address)
    {
        int failures = Recent(_failures.GetValueOrDefault(address));
        if (!_known.Contains(address))
            failures = Math.Max(failures, Recent(_strangers) - _forgiven);
        if (failures <= 0)
            return;
        double delay = Math.Min(options.FirstDelay.TotalMilliseconds * Math.Pow(2, Math.Min(failures - 1, 16)), options.LongestDelay.TotalMilliseconds);
        await Task.Delay(TimeSpan.FromMilliseconds(delay), time);
    }

    private int Recent((int Count, long At) failures) => failures.Count > 0 && time.GetElapsedTime(failures.At) < _forgottenAfter ? failures.Count : 0;
}
