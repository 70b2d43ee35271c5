using MailCluster.Contracts;
using MailCluster.Storage;
using MailCluster.Storage.Directories;

namespace MailCluster.Grains;

/// <summary>What somebody's log-in is decided by, as the directory has it now.</summary>
/// <param name="User">The name whose salt is told where there is no verifier.</param>
/// <param name="Verifier">See <see cref="StoredPassword"/>; null: this password opens nothing.</param>
internal sealed record StoredCredentials(string User, string? Verifier, string? VerifierSha1, IReadOnlyList<AppPassword> AppPasswords)
{
    /// <summary>For a name that nobody has.</summary>
    public static readonly StoredCredentials None = new("", null, null, []);

    /// <summary>Who checks the password in place of the verifiers.</summary>
    public LdapServer? Ldap { get; init; }

    public bool DiffersFrom(StoredCredentials other) => (Verifier, VerifierSha1, Ldap) != (other.Verifier, other.VerifierSha1, other.Ldap)
        || !AppPasswords.Select(static a => Convert.ToHexString(a.Hash)).SequenceEqual(other.AppPasswords.Select(static a => Convert.ToHexString(a.Hash)));
}

/// <param name="ServerSignature">For a SCRAM proof.</param>
internal sealed record CheckedCredentials(string? AppPassword, byte[]? ServerSignature);

/// <summary>
/// Checks passwords and proofs of one account or operator: never on its owner's turn, slowed down when they are guessed at (<see cref="Guesses"/>, <see cref="IGuessGrain"/>), and for
/// somebody who does not exist as for somebody with another password. Used by one activation, one turn at a time.
/// </summary>
internal sealed class CredentialCheck(PasswordMemory passwords, Guesses guesses, LoginStore store, LdapDirectory ldap, IGrainFactory grains, TimeProvider time)
{
    private static readonly MailError _refused = new(MailErrorCode.AuthenticationFailed, "wrong password");
    private static readonly MailError _tooMany = new(MailErrorCode.Limit, "Too many failed log-ins, try again in a moment.");

    /// <summary>Salt and rounds of the user's verifier; where there is none what could be one.</summary>
    /// <param name="asked">The name as the client wrote it, for one that nobody has.</param>
    public async ValueTask<ScramParameters> BeginScramAsync(StoredCredentials? stored, string asked, ScramHash hash)
    {
        byte[] salt = await store.SaltOfAsync(stored?.User ?? asked, hash);
        return Verifier(stored, hash) is { } verifier ? new ScramParameters(verifier.Salt, verifier.Iterations) : new ScramParameters(salt, ScramVerifier.NewIterations);
    }

    /// <param name="read">Reads the directory, at most some seconds old or, with true, now.</param>
    public async ValueTask<MailResult<CheckedCredentials>> CheckAsync(LoginRequest request, Func<bool, ValueTask<StoredCredentials?>> read)
    {
        string address = request.Address;
        StoredCredentials? stored = await read(false);
        bool stranger = !request.Trusted && !guesses.Knows(address);
        if (guesses.Take(address) is not { } place)
            return _tooMany;
        TimeSpan wait = place.Wait;
        bool? right = null;
        bool counted = false;
        try
        {
            // Others may have been guessed at from there.
            if (stranger)
            {
                if (await OfAddressAsync(address) is not { } turn)
                    return _tooMany;
                counted = true;
                wait = turn > wait ? turn : wait;
            }
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, time);
            CheckedCredentials? found = await MatchAsync(request, stored ?? StoredCredentials.None);
            if (found is null)
            {
                // The password may have been changed a moment ago, and the news not be here yet.
                StoredCredentials? fresh = await read(true);
                if (fresh is not null && fresh.DiffersFrom(stored ?? StoredCredentials.None))
                    found = await MatchAsync(request, fresh);
            }
            right = found is not null;
            return found is null ? _refused : found;
        }
        finally
        {
            guesses.Ended(place, right);
            // What could not be found out was no guess either.
            if (counted && right != false)
                WasRight(address);
        }
    }

    private async ValueTask<CheckedCredentials?> MatchAsync(LoginRequest request, StoredCredentials stored)
    {
        if (request.Scram is { } proof)
        {
            byte[]? signature = await Task.Run(() => Verifier(stored, proof.Hash)?.Verify(proof.AuthMessage, proof.Proof));
            return signature is null ? null : new CheckedCredentials(null, signature);
        }
        if (request.Password is not { } password)
            return null;
        if (stored.AppPasswords.Count > 0)
        {
            byte[] hash = AppPassword.HashOf(password);
            if (stored.AppPasswords.FirstOrDefault(p => System.Security.Cryptography.CryptographicOperations.FixedTimeEquals(p.Hash, hash)) is { } app)
                return app.Fits(request.Protocol, request.Address) ? new CheckedCredentials(app.Name, null) : null;
        }
        if (passwords.Knows(password, stored.Ldap?.Url ?? stored.Verifier))
            return new CheckedCredentials(null, null);
        if (stored.Ldap is { } server)
        {
            if (!await ldap.CheckAsync(server, stored.User, password))
                return null;
            passwords.Learn(password, server.Url);
            return new CheckedCredentials(null, null);
        }
        // Somebody without a password takes as long to say no as one with another password.
        if (!await HashWork.VerifyAsync(password, stored.Verifier ?? ScramVerifier.Decoy) || stored.Verifier is null)
            return null;
        passwords.Learn(password, stored.Verifier);
        return new CheckedCredentials(null, null);
    }

    private static ScramVerifier? Verifier(StoredCredentials? stored, ScramHash hash) =>
        ScramVerifier.Parse(hash == ScramHash.Sha1 ? stored?.VerifierSha1 : stored?.Verifier) is { } verifier && verifier.Hash == hash ? verifier : null;

    private async ValueTask<TimeSpan?> OfAddressAsync(string address)
    {
        try
        {
            return await ClientAddress.Shard(grains, address).Take(ClientAddress.Key(address));
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            // Whoever counted there is gone: nobody is locked out because of it.
            return TimeSpan.Zero;
        }
    }

    private void WasRight(string address) => ClientAddress.Shard(grains, address).WasRight(ClientAddress.Key(address)).AsTask().Ignore();
}
