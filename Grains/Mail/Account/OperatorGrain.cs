using System.Net;
using MailCluster.Contracts;
using MailCluster.Storage;
using MailCluster.Storage.Directories;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Orleans.Placement;

namespace MailCluster.Grains;

/// <summary>Checks one operator's password.</summary>
[Reentrant, PreferLocalPlacement, GrainType("operator")]
public sealed class OperatorGrain(LoginStore store, LdapDirectory ldap, IOptions<AccountOptions> options, IGrainFactory grains, TimeProvider time) : Grain, IOperatorGrain
{
    private static readonly MailError _away = new(MailErrorCode.Unavailable, "The mail store cannot be reached now.");

    private readonly CredentialCheck _check = new(new PasswordMemory(options.Value, time), new Guesses(options.Value, time), store, ldap, grains, time);
    private readonly LoginAttempts<OperatorPass> _logins = new(time);
    private DirectoryOperator? _operator;
    private long _readAt;

    public async ValueTask<MailResult<ScramParameters>> BeginScram(string name, ScramHash hash)
    {
        try
        {
            return await _check.BeginScramAsync(await ReadAsync(false), name, hash);
        }
        catch (StoreUnavailableException)
        {
            return _away;
        }
    }

    public ValueTask<MailResult<OperatorPass>> Authenticate(LoginRequest request) => _logins.OnceAsync(request, async () =>
    {
        try
        {
            MailResult<CheckedCredentials> found = await _check.CheckAsync(request, ReadAsync);
            if (found.Error is { } error)
                return error;
            if (_operator is not { } who)
                return new MailError(MailErrorCode.AuthenticationFailed, "wrong password");
            store.NoteOperatorAsync(who.Name, IPAddress.TryParse(request.Address, out IPAddress? address) ? address : null).Ignore();
            return new OperatorPass(who.Name, who.Tenants, found.Value!.ServerSignature);
        }
        catch (StoreUnavailableException)
        {
            return _away;
        }
    });

    private async ValueTask<StoredCredentials?> ReadAsync(bool fresh)
    {
        if (fresh || _readAt == 0 || time.GetElapsedTime(_readAt) >= options.Value.DirectoryAge)
        {
            _operator = await store.FindOperatorAsync(this.GetPrimaryKeyString());
            _readAt = time.GetTimestamp();
        }
        return _operator is { } known ? new StoredCredentials(known.Name, known.Verifier, null, []) : null;
    }
}
