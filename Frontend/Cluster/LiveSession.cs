using MailCluster.Contracts;

namespace MailCluster.Cluster;

/// <summary>One logged-in session of this process. Disposing of it ends its lease at the account.</summary>
public sealed class LiveSession : IAsyncDisposable
{
    private readonly LiveSessions _all;
    private readonly CancellationTokenSource _kick = new();
    private string? _kickReason;
    private int _closed;

    internal LiveSession(LiveSessions all, LoginRequest request, AccountSettings settings)
    {
        _all = all;
        Request = request;
        Settings = settings;
        Since = all.Now;
    }

    public string Id => Request.SessionId;

    public AccountSettings Settings { get; }

    public AccountId Account => Settings.Account;

    /// <summary>imap, pop3…</summary>
    public string Protocol => Request.Protocol;

    public DateTimeOffset Since { get; }

    /// <summary>The operator who acts as the user here; null: the user himself.</summary>
    public string? Operator => Request.Operator;

    /// <summary>Who does the changes of this session.</summary>
    public Actor Actor => new(Settings.User, Id, Request.Address, Settings.Account);

    /// <summary>What it has selected and since when; null for nothing. For administrators: set by the session, read by others.</summary>
    public SelectedSince? Selected { get; private set; }

    /// <summary>What the client calls itself (RFC 2971), one printable line; null where it said nothing.</summary>
    public string? Client { get; set; }

    /// <summary>Notes what the session has selected from now on.</summary>
    public void Select(MailboxKey? mailbox) => Selected = mailbox is { } key ? new SelectedSince(key, _all.Now) : null;

    /// <summary>Without the password.</summary>
    internal LoginRequest Request { get; }

    /// <summary>Cancelled when the server ends this session: say BYE with <see cref="KickReason"/> and close.</summary>
    public CancellationToken Kicked => _kick.Token;

    /// <summary>A sentence for the client; not null once <see cref="Kicked"/> is cancelled.</summary>
    public string? KickReason => Volatile.Read(ref _kickReason);

    internal void Kick(string reason)
    {
        if (Interlocked.CompareExchange(ref _kickReason, reason, null) is null)
            _ = _kick.CancelAsync();
    }

    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _closed, 1) == 0 ? _all.EndAsync(this) : ValueTask.CompletedTask;
}

/// <summary>A mailbox that a session has selected.</summary>
public sealed record SelectedSince(MailboxKey Mailbox, DateTimeOffset At);
