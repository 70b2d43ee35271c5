using System.Net;
using MailCluster.Contracts;
using MailCluster.Storage;
using MailCluster.Storage.Directories;

namespace MailCluster.Grains;

public sealed partial class AccountGrain
{
    private static readonly MailError _refused = new(MailErrorCode.AuthenticationFailed, "wrong password");

    private CredentialCheck Credentials => field ??= new(_memory.Passwords, _memory.Guesses, store, ldap, grains, time);

    public ValueTask<MailResult<ScramParameters>> BeginScram(string user, ScramHash hash) => Guard<ScramParameters>(async () =>
        await Credentials.BeginScramAsync(await CredentialsAsync(fresh: false), user, hash));

    public ValueTask<MailResult<AccountSession>> Authenticate(LoginRequest request) => _logins.OnceAsync(request, () => CheckAsync(request));

    private ValueTask<MailResult<AccountSession>> CheckAsync(LoginRequest request) => Guard<AccountSession>(async () =>
    {
        CheckedCredentials? shown = null;
        if (request.Verified is null)
        {
            if (!_memory.Guesses.Knows(request.Address) && (_memory.Sessions.IsFrom(request.Address) || (await AccountAsync(fresh: false))?.LastAddress == request.Address))
                _memory.Guesses.Learn(request.Address);
            MailResult<CheckedCredentials> found = await Credentials.CheckAsync(request, CredentialsAsync);
            if (found.Error is { } wrong)
                return wrong;
            shown = found.Value!;
        }
        if (await AccountAsync(fresh: false) is not { } account)
            return _refused;
        if (!account.Login)
            return new MailError(MailErrorCode.AuthorizationFailed, "Log-in is switched off for this account.");
        // What an operator may do is not for the tenant to say.
        if (request.Operator is null && account.Policy.Refuse(request.Protocol, request.Mechanism, request.Secure) is { } policy)
            return new MailError(MailErrorCode.AuthorizationFailed, policy);
        if (shown is { AppPassword: null } && request.Password is { } password)
            await KeepVerifiersAsync(account, password);
        if (!request.OnlyChecks && _memory.Sessions.TryAdd(request, account.LocksMaildrop) is { } limit)
            return limit;
        Note(request, shown?.AppPassword);
        return new AccountSession(request.SessionId, account.Settings, shown?.ServerSignature, shown?.AppPassword);
    });

    private async ValueTask<StoredCredentials?> CredentialsAsync(bool fresh)
    {
        if (await AccountAsync(fresh) is not { } account)
            return null;
        bool own = !account.Policy.AppPasswordsOnly, here = own && account.Ldap is null;
        return new StoredCredentials(account.Settings.User, here ? account.Verifier : null, here ? account.VerifierSha1 : null, account.AppPasswords) { Ldap = own ? account.Ldap : null };
    }

    /// <summary>The password is known for once: another system's hash gives way to a verifier, and a tenant that wants SCRAM-SHA-1 gets its second one.</summary>
    private async ValueTask KeepVerifiersAsync(DirectoryAccount account, string password)
    {
        if (account.IsComplete || account.Verifier is not { } old)
            return;
        bool foreign = StoredPassword.IsForeign(old);
        try
        {
            // With the salt that was told so far: nobody sees that there was another hash.
            byte[] salt = await store.SaltOfAsync(account.Settings.User, ScramHash.Sha256);
            byte[] salt1 = await store.SaltOfAsync(account.Settings.User, ScramHash.Sha1);
            string verifier = foreign ? await Task.Run(() => ScramVerifier.Create(password, ScramHash.Sha256, salt)) : old;
            string? sha1 = account.Policy.ScramSha1 ? account.VerifierSha1 ?? await Task.Run(() => ScramVerifier.Create(password, ScramHash.Sha1, salt1)) : account.VerifierSha1;
            await store.ReplaceVerifierAsync(Id, old, verifier, sha1);
            _memory.ForgetRow();
        }
        catch (StoreUnavailableException)
        {
            // The next log-in does it.
        }
    }

    /// <summary>Who was here last; operators leave no trace in the user's own.</summary>
    private void Note(LoginRequest request, string? appPassword)
    {
        if (request.Operator is not null)
            return;
        IPAddress? address = IPAddress.TryParse(request.Address, out IPAddress? parsed) ? parsed : null;
        if (_memory.TakeNote())
            directory.NoteLoginAsync(Id, address).Ignore();
        if (appPassword is not null && (!_appPasswordsNoted.TryGetValue(appPassword, out long at) || time.GetElapsedTime(at) >= DirectoryStore.LoginsNotedEvery))
        {
            _appPasswordsNoted[appPassword] = time.GetTimestamp();
            store.NoteAppPasswordAsync(Id, appPassword, address).Ignore();
        }
    }

    /// <summary>When the use of each was noted.</summary>
    private readonly Dictionary<string, long> _appPasswordsNoted = [];
}
