using System.Collections.Concurrent;
using System.Diagnostics;
using MailCluster.Contracts;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MailCluster.Cluster;

/// <summary>
/// The way from the doors of this process (IMAP, POP3, LMTP…) to the owners of accounts and mailboxes. One object a process.
/// </summary>
public sealed partial class MailClusterClient : IAsyncDisposable
{
    private readonly long _incarnation = Random.Shared.NextInt64(1, long.MaxValue);
    private readonly ILogger _log;
    private readonly Login _login;
    private readonly ConcurrentDictionary<AccountId, IAccountGrain> _accounts = new();
    private readonly ConcurrentDictionary<MailboxKey, IMailboxGrain> _mailboxes = new();
    private IDirectoryGrain? _directory;
    private long _operations;

    /// <param name="local">What owners in this process publish; an empty one in a process without owners.</param>
    /// <param name="accounts">What owners of accounts in this process remember; null in a process without owners.</param>
    public MailClusterClient(
        IGrainFactory grains, IMessageBodies bodies, ILocalMailboxes local, MailClusterOptions? options = null, ILoggerFactory? logs = null, TimeProvider? time = null,
        ILocalAccounts? accounts = null)
    {
        LocalAccounts = accounts;
        Grains = grains;
        Bodies = bodies;
        Options = options ?? new MailClusterOptions();
        Time = time ?? TimeProvider.System;
        logs ??= NullLoggerFactory.Instance;
        _log = logs.CreateLogger("MailCluster.Cluster");
        Mailboxes = new MailboxReplicas(this, local, logs.CreateLogger("MailCluster.Replica"));
        Accounts = new AccountWatches(this, logs.CreateLogger("MailCluster.Watch"));
        Sessions = new LiveSessions(this, logs.CreateLogger("MailCluster.Sessions"));
        _login = new Login(this, logs.CreateLogger("MailCluster.Login"));
    }

    public IGrainFactory Grains { get; }

    public IMessageBodies Bodies { get; }

    public MailClusterOptions Options { get; }

    /// <summary>Copies of the mailboxes that sessions of this process have open.</summary>
    public MailboxReplicas Mailboxes { get; }

    /// <summary>The accounts that sessions of this process watch.</summary>
    public AccountWatches Accounts { get; }

    /// <summary>The sessions of this process that are logged in.</summary>
    public LiveSessions Sessions { get; }

    /// <summary>Null in a process without owners.</summary>
    internal ILocalAccounts? LocalAccounts { get; }

    /// <summary>Accounts that got mail under their own name.</summary>
    internal KnownUsers Recipients { get; } = new();

    internal TimeProvider Time { get; }

    public IDirectoryGrain Directory => _directory ??= Grains.GetGrain<IDirectoryGrain>(0);

    public IAccountGrain Account(AccountId account) => Recalled(_accounts, account, static (grains, a) => grains.GetGrain<IAccountGrain>(a.Value));

    public IMailboxGrain Mailbox(MailboxKey mailbox) => Recalled(_mailboxes, mailbox, static (grains, m) => grains.GetGrain<IMailboxGrain>(m.ToString()));

    // A reference is good for ever, wherever the owner lives; making one is dear, since Orleans looks at the attributes of the interface each time.
    private TGrain Recalled<TKey, TGrain>(ConcurrentDictionary<TKey, TGrain> known, TKey key, Func<IGrainFactory, TKey, TGrain> make) where TKey : notnull
    {
        if (known.TryGetValue(key, out TGrain? grain))
            return grain;
        if (known.Count >= MaxRecalled)
            known.Clear();
        return known[key] = make(Grains, key);
    }

    /// <summary>A fresh id for one change. Take it once a command, outside the delegate given to <see cref="CallAsync{T}"/>, so that its retries carry the same.</summary>
    public OperationId NextOperation() => new(_incarnation, Interlocked.Increment(ref _operations));

    /// <summary>
    /// Calls an owner until there is an answer. Outages (exceptions of lost nodes and time-outs, <see cref="MailErrorCode.Unavailable"/>,
    /// <see cref="MailErrorCode.StaleEpoch"/>) are tried again with growing waits for <see cref="MailClusterOptions.RetryFor"/>, after which the answer is
    /// <see cref="MailErrorCode.Unavailable"/>; no call waits longer. Every try must carry the same request with the same <see cref="OperationId"/>.
    /// <para>When <paramref name="cancellationToken"/> ends (the client is gone) it stops trying, and answers Unavailable; a change that is on its way may still happen.</para>
    /// Throws for bugs only.
    /// </summary>
    /// <param name="messages">How many messages a change is about: one of more than <see cref="MailboxLimits.LengthyChange"/> may take until <see cref="MailClusterOptions.LengthyFor"/>.</param>
    public ValueTask<MailResult<T>> CallAsync<T>(Func<ValueTask<MailResult<T>>> call, CancellationToken cancellationToken, long messages = 1) =>
        CallAsync(call, new CommandWait(cancellationToken), messages);

    /// <summary>As <see cref="CallAsync{T}"/>, for calls that answer with a plain value.</summary>
    public ValueTask<MailResult<T>> AskAsync<T>(Func<ValueTask<T>> call, CancellationToken cancellationToken) =>
        CallAsync<T>(async () => await call().ConfigureAwait(false), cancellationToken);

    /// <summary>As <see cref="CallAsync{T}(Func{ValueTask{MailResult{T}}}, CancellationToken, long)"/>, for one of the calls of a command, which share its time.</summary>
    public async ValueTask<MailResult<T>> CallAsync<T>(Func<ValueTask<MailResult<T>>> call, CommandWait wait, long messages = 1)
    {
        using Activity? span = MailTraces.Call();
        long start = Time.GetTimestamp();
        try
        {
            TimeSpan patience = wait.Of(Options.RetryFor);
            return await CallAsync(call, start, patience, messages > MailboxLimits.LengthyChange ? Options.LengthyFor : patience, wait.Ended).ConfigureAwait(false);
        }
        finally
        {
            wait.Add(Time.GetElapsedTime(start));
        }
    }

    /// <summary>
    /// As <see cref="CallAsync{T}(Func{ValueTask{MailResult{T}}}, CommandWait, long)"/>, for a change that adds messages. A repetition may find the mailbox deleted, or that it may do nothing there any more; the
    /// owner then looks for what the try before it has done (<see cref="MailError.NotDone"/>). One of a release that does not look is not believed: that nothing was done is not known, and not said.
    /// </summary>
    public async ValueTask<MailResult<T>> ChangeAsync<T>(Func<ValueTask<MailResult<T>>> call, CommandWait wait, long messages = 1)
    {
        int tries = 0;
        MailResult<T> result = await CallAsync(
            () =>
            {
                tries++;
                return call();
            },
            wait, messages).ConfigureAwait(false);
        return tries > 1 && result.Error is { Code: MailErrorCode.MailboxGone or MailErrorCode.NonExistent or MailErrorCode.NoPermission, NotDone: false } ? Away : result;
    }

    /// <param name="patience">How long what is known to have failed is tried again.</param>
    /// <param name="most">How long an answer is waited for.</param>
    private async ValueTask<MailResult<T>> CallAsync<T>(
        Func<ValueTask<MailResult<T>>> call, long start, TimeSpan patience, TimeSpan most, CancellationToken cancellationToken)
    {
        TimeSpan delay = Options.FirstRetryDelay;
        for (int attempt = 1; ; attempt++)
        {
            string reason;
            bool silence = false;
            try
            {
                ValueTask<MailResult<T>> calling = call();
                // The contract of a call may allow it more than is left here.
                MailResult<T> result = calling.IsCompleted
                    ? await calling.ConfigureAwait(false)
                    : await calling.AsTask().WaitAsync(Left(most, start), Time, CancellationToken.None).ConfigureAwait(false);
                if (result.Error is not { Code: MailErrorCode.Unavailable or MailErrorCode.StaleEpoch } error)
                {
                    if (attempt > 1)
                        LogAnswered(attempt, Time.GetElapsedTime(start).TotalMilliseconds);
                    return result;
                }
                reason = error.Text;
            }
            // A wait that nobody here broke off was broken off at the owner, by a driver that has given up.
            catch (Exception e) when (Outage.Is(e) || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                reason = $"{e.GetType().Name}: {e.Message}";
                silence = e is TimeoutException;
            }
            ClusterMetrics.Retries.Add(1);
            TimeSpan left = Left(silence ? most : patience, start);
            if (left == TimeSpan.Zero)
            {
                LogGaveUp(attempt, reason);
                return Away;
            }
            if (attempt == 1)
                LogRetry(reason);
            // Between half and one and a half of the delay: the callers of a lost node must not come back as one.
            TimeSpan wait = TimeSpan.FromTicks(Math.Min(left.Ticks, (long)(delay.Ticks * (0.5 + Random.Shared.NextDouble()))));
            await Task.Delay(wait, Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (cancellationToken.IsCancellationRequested)
                return Closed;
            delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, Options.MaxRetryDelay.Ticks));
        }
    }

    private TimeSpan Left(TimeSpan of, long start)
    {
        TimeSpan left = of - Time.GetElapsedTime(start);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    internal static readonly MailError Away = new(MailErrorCode.Unavailable, "The mail store can't be reached now, try again later.");

    internal static readonly MailError Closed = new(MailErrorCode.Unavailable, "The connection was closed.");

    /// <summary>
    /// Checks who somebody is and opens a session, or answers <see cref="MailErrorCode.AuthenticationFailed"/> (also for an unknown user, after the same time),
    /// <see cref="MailErrorCode.AuthorizationFailed"/>, <see cref="MailErrorCode.Limit"/>, <see cref="MailErrorCode.Unavailable"/>. Writes one line to the log.
    /// The caller disposes of the session when its connection ends.
    /// </summary>
    public ValueTask<MailResult<LoginOutcome>> LoginAsync(LoginCredentials credentials, LoginContext context, CancellationToken cancellationToken) =>
        _login.RunAsync(credentials, context, cancellationToken);

    /// <summary>Writes the line of a log-in that a door has refused itself: a token or certificate that proves nothing.</summary>
    /// <param name="reason">Of the server's own words: nothing that a client sent.</param>
    public void RefuseLogin(string user, LoginContext context, string reason) => _login.Refuse(user, context, reason);

    /// <summary>What a SCRAM proof of a user (or of an operator who wants to act as another) is made of; an answer for every name.</summary>
    public ValueTask<MailResult<ScramParameters>> BeginScramAsync(LoginCredentials credentials, ScramHash hash, CancellationToken cancellationToken) =>
        _login.BeginScramAsync(credentials, hash, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        Mailboxes.Dispose();
        Accounts.Dispose();
        await Sessions.DisposeAsync().ConfigureAwait(false);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "A call is tried again: {Reason}")]
    private partial void LogRetry(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "A call was answered at try {Attempt} after {Milliseconds:F0} ms")]
    private partial void LogAnswered(int attempt, double milliseconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A call was given up after {Attempts} tries: {Reason}")]
    private partial void LogGaveUp(int attempts, string reason);
}
