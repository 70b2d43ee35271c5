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

    /// <summary>The least time since the account's last log-in by this protocol; none by default.</summary>
    public TimeSpan Delay { get; init; }
}

/// <summary>A log-in that was right.</summary>
/// <param name="Session">The caller disposes of it when its connection ends; null where <see cref="LoginContext.OpensSession"/> is false.</param>
/// <param name="Settings">The account's.</param>
public sealed record LoginOutcome(LiveSession? Session, AccountSettings Settings);

/// <summary>Finds the account, asks its owner, and writes the line that fail2ban reads.</summary>
internal sealed partial class Login(MailClusterClient cluster, ILogger log)
{
    private static readonly MailError Failed = new(MailErrorCode.AuthenticationFailed, "Authentication failed.");

    private readonly ILogger _log = log;
    private readonly KnownUsers _known = new();
    private readonly UnknownUsers _unknown = new(cluster.Time);

    public async ValueTask<MailResult<LoginOutcome>> RunAsync(string user, string password, LoginContext context, CancellationToken cancellationToken)
    {
        (MailResult<LoginOutcome> result, string reason) = await CheckAsync(user, password, context, cancellationToken).ConfigureAwait(false);
        string outcome = result.Error is { } error ? error.Code.ToString() : "ok";
        ClusterMetrics.Logins.Add(1, new("protocol", context.Protocol), new("result", outcome));
        LogLogin(result.IsOk ? LogLevel.Information : LogLevel.Warning, outcome, OneLine(user), context.Protocol, context.Mechanism, context.Address, context.SessionId, reason);
        return result;
    }

    private async ValueTask<(MailResult<LoginOutcome> Result, string Reason)> CheckAsync(
        string user, string password, LoginContext context, CancellationToken cancellationToken)
    {
        AccountRef? known = _known.Find(user);
        MailResult<AccountSession> session = default;
        if (known is not null)
        {
            session = await AuthenticateAsync(known, password, context, cancellationToken).ConfigureAwait(false);
            if (session.IsOk ? session.Value.Settings.User == known.User : session.Error.Code != MailErrorCode.AuthenticationFailed)
                return Answer(session);
            // The name may be another account's by now.
            _known.Remove(user);
            if (session.IsOk && context.OpensSession)
                await cluster.Sessions.EndAsync(known.Account, context.SessionId).ConfigureAwait(false);
        }
        MailResult<AccountRef?> found = await cluster.AskAsync(() => cluster.Directory.FindUser(user), cancellationToken).ConfigureAwait(false);
        if (found.Error is { } unreachable)
            return (unreachable, unreachable.Text);
        if (found.Value is not { } account)
        {
            await Task.Delay(_unknown.Failed(user, context.Address), cluster.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Task.Run(() => SpendAsMuch(password), CancellationToken.None).ConfigureAwait(false);
            return (Failed, "unknown user");
        }
        // One wrong password is one guess.
        if (session.IsOk || known?.Account != account.Account)
            session = await AuthenticateAsync(account, password, context, cancellationToken).ConfigureAwait(false);
        if (session.IsOk && session.Value.Settings.User == account.User)
            _known.Add(user, account);
        return Answer(session);

        (MailResult<LoginOutcome>, string) Answer(MailResult<AccountSession> answer) => answer.Error is { } error
            ? (error.Code == MailErrorCode.AuthenticationFailed ? Failed : error, error.Text)
            : (new LoginOutcome(context.OpensSession ? cluster.Sessions.Add(Request(password: null, context, 0), answer.Value!.Settings) : null, answer.Value!.Settings), "");
    }

    private ValueTask<MailResult<AccountSession>> AuthenticateAsync(AccountRef account, string password, LoginContext context, CancellationToken cancellationToken)
    {
        LoginRequest request = Request(password, context, cluster.NextOperation().Counter);
        if (cluster.LocalAccounts?.TryLogIn(account.Account, request) is { } session)
            return new(session);
        IAccountGrain owner = cluster.Account(account.Account);
        return cluster.CallAsync(() => owner.Authenticate(request), cancellationToken);
    }

    private LoginRequest Request(string? password, LoginContext context, long attempt) => new(
        context.SessionId, password, context.Protocol, context.Mechanism, context.Address, cluster.Options.FrontEnd, context.Trusted, attempt, !context.OpensSession,
        (int)context.Delay.TotalSeconds);

    /// <summary>What checking a verifier costs, for a user that has none: the time must not tell who exists.</summary>
    private void SpendAsMuch(string password) =>
        Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), "no such account"u8, cluster.Options.PasswordIterations, HashAlgorithmName.SHA256, 32);

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

    [LoggerMessage(Message = "login {Result} user={User} protocol={Protocol} mechanism={Mechanism} address={Address} session={Session} reason=\"{Reason}\"")]
    private partial void LogLogin(LogLevel level, string result, string user, string protocol, string mechanism, string address, string session, string reason);
}
