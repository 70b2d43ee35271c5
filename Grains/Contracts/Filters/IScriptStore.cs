namespace MailCluster.Contracts;

/// <summary>
/// The scripts of an account (RFC 5804 §1): at most one is active. Implemented by Storage. Each change is one transaction, on disk before the call returns; they
/// can be repeated. All methods throw <see cref="StoreUnavailableException"/> when PostgreSQL can't be reached.
/// </summary>
public interface IScriptStore
{
    ValueTask<ScriptList> ListAsync(AccountId account, CancellationToken cancellationToken);

    ValueTask<StoredScript?> GetAsync(AccountId account, string name, CancellationToken cancellationToken);

    /// <summary>Whether a script would fit: null, or <see cref="ScriptError.TooManyScripts"/>, <see cref="ScriptError.TooMuch"/>.</summary>
    ValueTask<ScriptError?> HaveSpaceAsync(AccountId account, string name, long octets, ScriptQuota quota, CancellationToken cancellationToken);

    /// <summary>Makes or replaces a script; the caller has checked that it is valid.</summary>
    ValueTask<ScriptError?> PutAsync(AccountId account, string name, byte[] source, ScriptQuota quota, CancellationToken cancellationToken);

    /// <summary>Null: no script is active then. <see cref="ScriptError.NonExistent"/>.</summary>
    ValueTask<ScriptError?> SetActiveAsync(AccountId account, string? name, CancellationToken cancellationToken);

    /// <summary><see cref="ScriptError.NonExistent"/>, <see cref="ScriptError.Active"/>.</summary>
    ValueTask<ScriptError?> DeleteAsync(AccountId account, string name, CancellationToken cancellationToken);

    /// <summary><see cref="ScriptError.NonExistent"/>, <see cref="ScriptError.AlreadyExists"/>.</summary>
    ValueTask<ScriptError?> RenameAsync(AccountId account, string from, string to, CancellationToken cancellationToken);

    /// <summary>A tenant's scripts: "before" and "after" are run around those of its accounts, all of them can be included by name (RFC 6609 :global).</summary>
    ValueTask<ScriptList> ListAsync(TenantId tenant, CancellationToken cancellationToken);

    ValueTask PutAsync(TenantId tenant, string name, byte[] source, CancellationToken cancellationToken);

    /// <summary><see cref="ScriptError.NonExistent"/>.</summary>
    ValueTask<ScriptError?> DeleteAsync(TenantId tenant, string name, CancellationToken cancellationToken);
}

public enum ScriptError
{
    NonExistent = 1,

    /// <summary>The active script can't be deleted (RFC 5804 §2.10).</summary>
    Active = 2,
    AlreadyExists = 3,
    TooManyScripts = 4,

    /// <summary>All of them together would be larger than allowed.</summary>
    TooMuch = 5,
}

/// <param name="Scripts">Of an account at most.</param>
/// <param name="Octets">Of all of them together at most.</param>
public sealed record ScriptQuota(int Scripts, long Octets);

/// <param name="Failure">Why the filter failed last, since it was activated; null: it did not.</param>
public sealed record ScriptList(IReadOnlyList<ScriptInfo> Scripts, string? Failure, DateTimeOffset? FailedAt);

public sealed record ScriptInfo(string Name, bool Active, long Octets);

/// <summary>What scripts may be called (RFC 5804 §1.6).</summary>
public static class ScriptNames
{
    public const string Before = "before";

    public const string After = "after";

    /// <summary>1 to 128 characters, no controls, no line or paragraph separators.</summary>
    public static bool IsOne(string name) =>
        name.Length is > 0 and <= 128 && !name.Any(static c => char.IsControl(c) || c is '\u2028' or '\u2029' or '\ufffd');
}
