using MailCluster.Contracts;

namespace MailCluster.Storage.Directories;

/// <summary>What is to be kept of a new password.</summary>
/// <param name="Stored">See <see cref="StoredPassword"/>; null with an error, or where there is no password.</param>
/// <param name="Sha1">A second verifier, kept where the tenant's policy wants it.</param>
/// <param name="Error">Why it is not accepted.</param>
public readonly record struct NewPassword(string? Stored, string? Sha1 = null, string? Error = null);

/// <summary>
/// What the directory may keep of a password: a <see cref="ScramVerifier"/>, or a hash that was brought along from another system, <c>{SCHEME}…</c> as Dovecot, OpenLDAP and
/// crypt(3) write them. Such a hash is good for PLAIN and LOGIN only, until its user logs in and a verifier takes its place.
/// </summary>
public static class StoredPassword
{
    /// <summary>
    /// What is to be kept of a value that an administrator gives: a verifier, an accepted hash, or verifiers of the password that it is. An error says why a hash is not accepted.
    /// </summary>
    /// <param name="value">The password in clear, a verifier, or {SCHEME}hash. A password in clear that begins like a scheme has {PLAIN} in front.</param>
    public static NewPassword Of(string value)
    {
        if (ScramVerifier.IsVerifier(value))
            return new(value);
        if (TrySplit(value) is not { } hash)
            return OfClear(value);
        if (hash.Scheme is "PLAIN" or "CLEARTEXT" or "CLEAR")
            return OfClear(hash.Value);
        if (hash.Scheme == "SCRAM-SHA-256")
            return DovecotScram(hash.Value) is { } verifier ? new(verifier) : new(null, Error: "The hash {SCRAM-SHA-256} is not 'iterations,salt,StoredKey,ServerKey'.");
        return PasswordHash.Parse(value) is { } known ? known.TooExpensive is { } reason ? new(null, Error: reason) : new(value)
            : new(null, Error: $"A password hash of the scheme {{{hash.Scheme}}} is not known, or not well formed. A password that begins like that is written with {{PLAIN}} in front.");
    }

    private static NewPassword OfClear(string password) => new(ScramVerifier.Create(password), ScramVerifier.Create(password, ScramHash.Sha1));

    /// <summary>True for a hash that is to be replaced by a verifier when its user logs in.</summary>
    public static bool IsForeign(string stored) => stored.StartsWith('{');

    /// <summary>
    /// True when this is the password. Takes as long as the hash wants, at most about a second of one processor, and up to 128 MB for argon2:
    /// never on an owner's turn, and few at a time (<see cref="HashWork"/>).
    /// </summary>
    public static bool Verify(string password, string stored) =>
        IsForeign(stored) ? PasswordHash.Parse(stored) is { TooExpensive: null } hash && hash.Verify(password) : ScramVerifier.Verify(password, stored);

    /// <summary>{SCHEME}value; null for anything else. A password in clear may begin like that: then it has to be written {PLAIN}{…</summary>
    internal static (string Scheme, string Value)? TrySplit(string text)
    {
        int end = text.StartsWith('{') ? text.IndexOf('}') : -1;
        if (end < 2)
            return null;
        string scheme = text[1..end].ToUpperInvariant();
        return scheme.All(static c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '_') ? (scheme, text[(end + 1)..]) : null;
    }

    // doveadm pw -s SCRAM-SHA-256.
    private static string? DovecotScram(string value)
    {
        if (value.Split(',') is not [{ } iterations, { } salt, { } stored, { } server])
            return null;
        string verifier = $"SCRAM-SHA-256${iterations}:{salt}${stored}:{server}";
        return ScramVerifier.IsVerifier(verifier) ? verifier : null;
    }
}
