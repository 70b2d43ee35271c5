using MailCluster.Contracts;
using MailCluster.Storage.Directories;

namespace MailCluster.Grains;

/// <summary>What an account's owner remembers: its row of the directory, the password that was right, who is logged in. Also asked by doors of this process, on any thread.</summary>
internal sealed class AccountMemory(AccountOptions options, TimeProvider time)
{
    private readonly Lock _gate = new();
    private Row? _row;
    private int _changes;
    private long _notedAt;

    public PasswordMemory Passwords { get; } = new(options, time);

    public Guesses Guesses { get; } = new(options, time);

    public SessionLeases Sessions { get; } = new(options, time);

    /// <summary>The directory's row when it was read a few seconds ago; null when it has to be read.</summary>
    public DirectoryAccount? Account => TryGetAccount(out DirectoryAccount? account) ? account : null;

    /// <summary>True when the row was read a few seconds ago; null then says that there is none.</summary>
    public bool TryGetAccount(out DirectoryAccount? account)
    {
        Row? row = Volatile.Read(ref _row);
        account = row?.Account;
        return row is not null && time.GetElapsedTime(row.ReadAt) < options.DirectoryAge;
    }

    /// <summary>How often the row has changed: taken before it is read.</summary>
    public int Changes => Volatile.Read(ref _changes);

    /// <summary>Keeps what was just read, unless the row has changed meanwhile: then it may be the old one.</summary>
    /// <param name="changes">What <see cref="Changes"/> was before.</param>
    public void Keep(DirectoryAccount? account, int changes)
    {
        lock (_gate)
        {
            if (changes == _changes)
                Volatile.Write(ref _row, new Row(account, time.GetTimestamp()));
        }
    }

    /// <summary>The row has changed, and not the password.</summary>
    public void ForgetRow()
    {
        lock (_gate)
        {
            _changes++;
            Volatile.Write(ref _row, null);
        }
    }

    /// <summary>The row has changed.</summary>
    public void Forget()
    {
        ForgetRow();
        Passwords.Forget();
    }

    /// <summary>As <see cref="ILocalAccounts.TryLogIn"/>.</summary>
    public AccountSession? TryLogIn(LoginRequest request) =>
        Account is { Login: true, Policy.AppPasswordsOnly: false, IsComplete: true } account && request is { Verified: null, Scram: null, Password: { } password } && !IsNoteDue
            && account.Policy.Refuse(request.Protocol, request.Mechanism, request.Secure) is null
            && Guesses.IsFree(request.Address) && Passwords.Knows(password, account.Verifier)
            && (request.OnlyChecks || Sessions.TryAdd(request, account.LocksMaildrop) is null)
            ? new AccountSession(request.SessionId, account.Settings)
            : null;

    /// <summary>True once in <see cref="DirectoryStore.LoginsNotedEvery"/>: this log-in is to be noted in the directory.</summary>
    public bool TakeNote()
    {
        lock (_gate)
        {
            if (!IsNoteDue)
                return false;
            _notedAt = time.GetTimestamp();
            return true;
        }
    }

    private bool IsNoteDue => Volatile.Read(ref _notedAt) is var noted && (noted == 0 || time.GetElapsedTime(noted) >= DirectoryStore.LoginsNotedEvery);

    private sealed record Row(DirectoryAccount? Account, long ReadAt);
}
