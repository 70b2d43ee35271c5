using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using MailCluster.Contracts;
using Microsoft.Extensions.Logging;

namespace MailCluster.Cluster;

/// <summary>Where a log-in comes from.</summary>
/// <param name="Protocol">imap, pop3…; lower case.</param>
/// <param name="Mechanism">The SASL mechanism, or LOGIN, USER.</param>
/// <param name="Address">The client's address, without port.</param>
/// <param name="SessionId">The connection's id in the logs, unique among all front ends.</param>
/// <param name="Trusted">The address lies in trusted-networks: exempt from limits per address.</param>
public sealed record LoginContext(string Protocol, string Mechanism, string Address, string SessionId, bool Trusted)
{
    /// <summary>False: it is only asked whether the log-in is right.</summary>
    public bool OpensSession { get; init; } = true;

    /// <summary>How the client's bytes travel, for the log: "none", "1.3", "1.3@proxy" where TLS ends before us.</summary>
    public string Tls { get; init; } = "none";

    /// <summary>The least time since the account's last log-in by this protocol; none by default.</summary>
    public TimeSpan Delay { get; init; }

    /// <summary>The client speaks TLS.</summary>
    public bool Secure { get; init; }

    /// <summary>Who acts as the user.</summary>
    internal string? Operator { get; init; }

    /// <summary>The session that is to be; null where <see cref="OpensSession"/> is false.</summary>
    internal OpeningSession? Opening { get; init; }
}

/// <summary>What a client shows of who it is: a password, a proof, or what the door has verified itself.</summary>
/// <param name="User">Who logs in (SASL's authentication identity), as the client wrote it.</param>
/// <param name="Authorize">Whom he wants to act as (SASL's authorization identity): null or empty for himself; another only for operators.</param>
public sealed record LoginCredentials(string User, string? Authorize = null)
{
    /// <summary>Never logged.</summary>
    public string? Password { get; init; }

    public ScramProof? Scram { get; init; }

    /// <summary>What was verified: token, certificate.</summary>
    public string? Verified { get; init; }

    /// <summary>The only tenant whose user it may be, with <see cref="Verified"/>; null: any.</summary>
    public TenantId? Tenant { get; init; }

    /// <summary>Acts as somebody else.</summary>
    internal bool IsForAnother => !string.IsNullOrEmpty(Authorize) && !Authorize.Equals(User, StringComparison.OrdinalIgnoreCase);

    public override string ToString() => User;
}

/// <summary>A log-in that was right.</summary>
/// <param name="Session">The caller disposes of it when its connection ends; null where <see cref="LoginContext.OpensSession"/> is false.</param>
/// <param name="Settings">The account's.</param>
/// <param name="ServerSignature">For a SCRAM proof.</param>
public sealed record LoginOutcome(LiveSession? Session, AccountSettings Settings, byte[]? ServerSignature = null);

/// <summary>Finds the account, asks its owner, and writes the line that fail2ban reads.</summary>
internal sealed partial class Login(MailClusterClient cluster, ILogger log)
{
    private static readonly MailError Failed = new(MailErrorCode.AuthenticationFailed, "Authentication failed.");

    private readonly ILogger _log = log;
    private readonly KnownUsers _known = new();

    public async ValueTask<MailResult<LoginOutcome>> RunAsync(LoginCredentials credentials, LoginContext context, CancellationToken cancellationToken)
    {
        using OpeningSession? opening = context.OpensSession ? cluster.Sessions.Open() : null;
        context = context with { Opening = opening };
        (MailResult<LoginOutcome> result, string reason) = credentials.IsForAnother
            ? await ActAsync(credentials, context, cancellationToken).ConfigureAwait(false)
            : await CheckAsync(credentials, context, cancellationToken).ConfigureAwait(false);
        string outcome = result.Error is { } error ? error.Code.ToString() : "ok";
        ClusterMetrics.Logins.Add(1, new("protocol", context.Protocol), new("result", outcome));
        LogLevel level = result.IsOk ? LogLevel.Information : LogLevel.Warning;
        if (credentials.IsForAnother)
            LogActs(level, outcome, OneLine(credentials.Authorize!), OneLine(credentials.User), context.Protocol, context.Mechanism, context.Address, context.SessionId, context.Tls, reason);
        else
            LogLogin(level, outcome, OneLine(credentials.User), context.Protocol, context.Mechanism, context.Address, context.SessionId, context.Tls, reason);
        return result;
    }

    /// <summary>Writes the line of a log-in that a door has refused itself.</summary>
    public void Refuse(string user, LoginContext context, string reason)
    {
        ClusterMetrics.Logins.Add(1, new("protocol", context.Protocol), new("result", nameof(MailErrorCode.AuthenticationFailed)));
        LogLogin(LogLevel.Warning, nameof(MailErrorCode.AuthenticationFailed), OneLine(user), context.Protocol, context.Mechanism, context.Address, context.SessionId, context.Tls, reason);
    }

    /// <summary>Salt and rounds for a proof; for a user or operator that does not exist what could be true, after the same time.</summary>
    public async ValueTask<MailResult<ScramParameters>> BeginScramAsync(LoginCredentials credentials, ScramHash hash, CancellationToken cancellationToken)
    {
        if (credentials.IsForAnother)
        {
            MailResult<IOperatorGrain> found = await OperatorAsync(credentials.User, cancellationToken).ConfigureAwait(false);
            return found.IsOk ? await cluster.CallAsync(() => found.Value.BeginScram(credentials.User, hash), cancellationToken).ConfigureAwait(false) : found.Error;
        }
        // Always by the directory: whether this process knows the name must not show.
        MailResult<AccountRef?> account = await FindAsync(credentials.User, cancellationToken).ConfigureAwait(false);
        if (account.Error is { } away)
            return away;
        IAccountGrain owner = cluster.Account(account.Value?.Account ?? Decoy(credentials.User));
        return await cluster.CallAsync(() => owner.BeginScram(credentials.User, hash), cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<(MailResult<LoginOutcome> Result, string Reason)> CheckAsync(LoginCredentials credentials, LoginContext context, CancellationToken cancellationToken)
    {
        string user = credentials.User;
        // Who verified what is not to be believed about another tenant's users.
        bool Fits(AccountRef account) => credentials.Tenant is not { } tenant || tenant == account.Tenant;
        AccountRef? known = _known.Find(user) is { } remembered && Fits(remembered) ? remembered : null;
        MailResult<AccountSession> session = default;
        if (known is not null)
        {
            session = await AuthenticateAsync(known.Account, credentials, context, cancellationToken).ConfigureAwait(false);
            if (session.IsOk ? session.Value.Settings.User == known.User : session.Error.Code != MailErrorCode.AuthenticationFailed)
                return Answer(session, context);
            // The name may be another account's by now.
            _known.Remove(user);
            if (session.IsOk && context.OpensSession)
                await cluster.Sessions.EndAsync(known.Account, context.SessionId).ConfigureAwait(false);
        }
        MailResult<AccountRef?> found = await FindAsync(user, cancellationToken).ConfigureAwait(false);
        if (found.Error is { } unreachable)
            return (unreachable, unreachable.Text);
        if (found.Value is { } stranger && !Fits(stranger))
            return (Failed, "another tenant's user");
        if (found.Value is not { } account)
        {
            // Takes as long, and is slowed down, as an account with another password.
            MailResult<AccountSession> decoy = credentials.Verified is null
                ? await AuthenticateAsync(Decoy(user), credentials, context with { OpensSession = false, Opening = null }, cancellationToken).ConfigureAwait(false) : default;
            return (decoy.Error is { Code: not MailErrorCode.AuthenticationFailed } limit ? limit : Failed, "unknown user");
        }
        // One wrong password is one guess.
        if (session.IsOk || known?.Account != account.Account)
            session = await AuthenticateAsync(account.Account, credentials, context, cancellationToken).ConfigureAwait(false);
        if (session.IsOk && session.Value.Settings.User == account.User)
            _known.Add(user, account);
        return Answer(session, context);
    }

    /// <summary>An operator logs in as a user of one of his tenants.</summary>
    private async ValueTask<(MailResult<LoginOutcome> Result, string Reason)> ActAsync(LoginCredentials credentials, LoginContext context, CancellationToken cancellationToken)
    {
        MailResult<IOperatorGrain> grain = await OperatorAsync(credentials.User, cancellationToken).ConfigureAwait(false);
        if (grain.Error is { } away)
            return (away, away.Text);
        LoginRequest request = Request(credentials, context, cluster.NextOperation().Counter);
        MailResult<OperatorPass> pass = await cluster.CallAsync(() => grain.Value!.Authenticate(request), cancellationToken).ConfigureAwait(false);
        if (pass.Error is { } wrong)
            return (wrong.Code == MailErrorCode.AuthenticationFailed ? Failed : wrong, wrong.Text);
        MailResult<AccountRef?> found = await FindAsync(credentials.Authorize!, cancellationToken).ConfigureAwait(false);
        if (found.Error is { } unreachable)
            return (unreachable, unreachable.Text);
        if (found.Value is not { } account || pass.Value!.Tenants is { } tenants && !tenants.Contains(account.Tenant))
            return (new MailError(MailErrorCode.AuthorizationFailed, "You can't act as this user."), found.Value is null ? "unknown user" : "another tenant's user");
        LoginCredentials acts = new(credentials.Authorize!) { Verified = "operator" };
        MailResult<AccountSession> session = await AuthenticateAsync(account.Account, acts, context with { Operator = pass.Value!.Name }, cancellationToken).ConfigureAwait(false);
        return Answer(session, context with { Operator = pass.Value.Name }, pass.Value.ServerSignature);
    }

    private (MailResult<LoginOutcome> Result, string Reason) Answer(MailResult<AccountSession> answer, LoginContext context, byte[]? signature = null)
    {
        if (answer.Error is { } error)
            return (error.Code == MailErrorCode.AuthenticationFailed ? Failed : error, error.Text);
        AccountSession opened = answer.Value!;
        LiveSession? session = context.Opening is { } opening ? cluster.Sessions.Add(Request(new LoginCredentials(opened.Settings.User), context, 0), opened.Settings, opening) : null;
        return (new LoginOutcome(session, opened.Settings, signature ?? opened.ServerSignature), opened.AppPassword is { } app ? "application password " + OneLine(app) : "");
    }

    private ValueTask<MailResult<AccountRef?>> FindAsync(string user, CancellationToken cancellationToken) =>
        cluster.AskAsync(() => cluster.Directory.FindUser(user), cancellationToken);

    private async ValueTask<MailResult<IOperatorGrain>> OperatorAsync(string name, CancellationToken cancellationToken)
    {
        MailResult<bool> exists = await cluster.AskAsync(() => cluster.Directory.IsOperator(name), cancellationToken).ConfigureAwait(false);
        if (exists.Error is { } away)
            return away;
        return new MailResult<IOperatorGrain>(cluster.Grains.GetGrain<IOperatorGrain>(exists.Value ? name.ToLowerInvariant() : "?" + -Decoy(name).Value), null);
    }

    private ValueTask<MailResult<AccountSession>> AuthenticateAsync(AccountId account, LoginCredentials credentials, LoginContext context, CancellationToken cancellationToken)
    {
        LoginRequest request = Request(credentials, context, cluster.NextOperation().Counter);
        if (cluster.LocalAccounts?.TryLogIn(account, request) is { } session)
            return new(session);
        IAccountGrain owner = cluster.Account(account);
        return cluster.CallAsync(() => owner.Authenticate(request), cancellationToken);
    }

    private LoginRequest Request(LoginCredentials credentials, LoginContext context, long attempt) => new(
        context.SessionId, credentials.Password, context.Protocol, context.Mechanism, context.Address, cluster.Options.FrontEnd, context.Trusted, attempt, !context.OpensSession,
        (int)context.Delay.TotalSeconds, credentials.Scram, context.Secure, credentials.Verified, context.Operator);

    /// <summary>
    /// An account that there is not, for a name that nobody has: its owner does all that one of an account does. A few thousand of them, so that names at random take no memory;
    /// the same on all front ends.
    /// </summary>
    private static AccountId Decoy(string user) =>
        new(-1 - (BinaryPrimitives.ReadUInt16LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(user.ToLowerInvariant()))) & 0xFFF));

    /// <summary>A client's text must not begin a line of its own in the log.</summary>
    private static string OneLine(string text)
    {
        if (text.Length > 256)
            text = text[..256];
        return string.Create(text.Length, text, static (span, source) =>
        {
            for (int i = 0; i < span.Length; i++)
                span[i] = char.IsControl(source[i]) || source[i] is ' ' or '\u2028' or '\u2029' ? '?' : source[i];
        });
    }

    [LoggerMessage(Message = "login {Result} user={User} protocol={Protocol} mechanism={Mechanism} address={Address} session={Session} tls={Tls} reason=\"{Reason}\"")]
    private partial void LogLogin(LogLevel level, string result, string user, string protocol, string mechanism, string address, string session, string tls, string reason);

    [LoggerMessage(Message = "login {Result} user={User} operator={Operator} protocol={Protocol} mechanism={Mechanism} address={Address} session={Session} tls={Tls} reason=\"{Reason}\"")]
    private partial void LogActs(LogLevel level, string result, string user, string @operator, string protocol, string mechanism, string address, string session, string tls, string reason);
}
