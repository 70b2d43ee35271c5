using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.ManageSieve.Commands;
using MailCluster.ManageSieve.Wire;
using MailCluster.Net;
using MailCluster.Sasl;
using Microsoft.Extensions.Logging;

namespace MailCluster.ManageSieve;

/// <summary>One connection.</summary>
internal sealed partial class ManageSieveSession : IAsyncDisposable
{
    /// <summary>Octets of literals before a log-in: what SASL needs (48 KB, in base64).</summary>
    private const int LiteralBeforeLogin = 64 * 1024;

    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Func<TimeSpan> _timeLeft;
    private CommandReader _reader;
    private CancellationTokenRegistration? _kick;
    private long _loginDeadline;
    private int _bad;
    private bool _over;

    public ManageSieveSession(IConnection connection, IScriptStore scripts, SaslServer sasl, ManageSieveOptions options, TimeProvider time, ILogger log)
    {
        Connection = connection;
        Scripts = scripts;
        Sasl = sasl;
        Options = options;
        _time = time;
        _log = log;
        _timeLeft = () => TimeLeft;
        _reader = new CommandReader(connection, options.LineLength);
        Reply = new ResponseWriter(connection);
        BeginLogin();
    }

    public IConnection Connection { get; }

    public IScriptStore Scripts { get; }

    public SaslServer Sasl { get; }

    public ManageSieveOptions Options { get; }

    public ResponseWriter Reply { get; }

    /// <summary>Null until the log-in.</summary>
    public LiveSession? Live { get; private set; }

    public int FailedLogins { get; set; }

    public CancellationToken Gone => Connection.Closed;

    public SaslConnection LogsIn() => SaslConnection.Of("sieve", Connection, Options.AllowPlaintextLogin);

    public async Task RunAsync()
    {
        Capability.Tell(this);
        Reply.Status("OK", null, "ManageSieve ready");
        while (!_over)
        {
            if (await NextAsync(Live is null ? LiteralBeforeLogin : Options.Limits.ScriptOctets + 4096).ConfigureAwait(false) is { } command)
                await HandleAsync(command).ConfigureAwait(false);
            if (Connection.Output.ShouldFlush)
                await Connection.Output.FlushAsync().ConfigureAwait(false);
        }
        await Connection.Output.FlushAsync().ConfigureAwait(false);
    }

    /// <summary>The next command; null: there was none, which was answered, or the session is over.</summary>
    private async ValueTask<SieveCommand?> NextAsync(int maxLiteral)
    {
        CommandRead read = await _reader.ReadAsync(maxLiteral, _timeLeft).ConfigureAwait(false);
        if (read.Status == ReadStatus.Command)
            return read.Command;
        Answer(read);
        return null;
    }

    /// <summary>What is said where there is no command.</summary>
    private void Answer(CommandRead read)
    {
        switch (read.Status)
        {
            case ReadStatus.Bad:
                Bad(read.Text);
                break;
            case ReadStatus.TooLarge:
                Reply.Status("NO", "QUOTA/MAXSIZE", $"A script has at most {Options.Limits.ScriptOctets} octets");
                break;
            case ReadStatus.Flood:
                Bye(null, read.Text);
                break;
            case ReadStatus.TimedOut:
                Bye(null, Live is null ? "You took too long to log in" : "Nothing was heard of you for too long");
                break;
            case ReadStatus.Interrupted:
                if (Connection.Draining.IsCancellationRequested)
                    Bye("TRYLATER", "The server is shutting down");
                else if (Live?.KickReason is { } reason)
                    Bye(null, reason);
                break;
            default:
                _over = true;
                break;
        }
    }

    /// <summary>The user is who he says he is.</summary>
    public void LoggedIn(LiveSession live)
    {
        Connection.LoggedIn();
        _kick = live.Kicked.UnsafeRegister(static connection => ((IConnection)connection!).InputTimeout.Wake(), Connection);
        Live = live;
    }

    /// <summary>UNAUTHENTICATE: as if nobody had logged in.</summary>
    public async ValueTask LoggedOutAsync()
    {
        await EndLoginAsync().ConfigureAwait(false);
        BeginLogin();
    }

    public async ValueTask StartTlsAsync()
    {
        await Connection.StartTlsAsync().ConfigureAwait(false);
        _reader = new CommandReader(Connection, Options.LineLength);
        BeginLogin();
    }

    /// <summary>Says it and ends the connection.</summary>
    public void Bye(string? code, string text)
    {
        Reply.Status("BYE", code, text);
        _over = true;
    }

    public void End() => _over = true;

    public void Bad(string text)
    {
        if (++_bad >= (Live is null ? Math.Min(3, Options.BadCommands) : Options.BadCommands))
            Bye(null, "Too many errors");
        else
            Reply.Status("NO", null, text);
    }

    public async ValueTask DisposeAsync() => await EndLoginAsync().ConfigureAwait(false);

    private async ValueTask HandleAsync(SieveCommand command)
    {
        if (!CommandTable.All.TryGetValue(command.Verb, out CommandRow? row))
        {
            Bad("This command is not known");
            return;
        }
        if (row.Login is { } needed && needed != Live is not null)
        {
            Bad(needed ? "Log in first" : "You are logged in already");
            return;
        }
        if (command.Arguments.Count < row.AtLeast || command.Arguments.Count > row.AtMost)
        {
            Bad($"Usage: {row.Usage}");
            return;
        }
        bool done;
        try
        {
            done = await row.RunAsync(this, command).ConfigureAwait(false);
        }
        catch (StoreUnavailableException e)
        {
            Unavailable(_log, Connection.SessionId, e.Message);
            Reply.Status("NO", "TRYLATER", "The mail store can't be reached now, try again later");
            done = false;
        }
        ManageSieveMetrics.Commands.Add(1, new("command", command.Verb.ToLowerInvariant()), new("result", done ? "ok" : "no"));
        if (done)
            _bad = 0;
    }

    private TimeSpan TimeLeft
    {
        get
        {
            if (Live is not null)
                return Options.IdleTimeout;
            TimeSpan left = _time.GetElapsedTime(_time.GetTimestamp(), _loginDeadline);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    private void BeginLogin() => _loginDeadline = _time.GetTimestamp() + (long)(Options.LoginTimeout.TotalSeconds * _time.TimestampFrequency);

    private async ValueTask EndLoginAsync()
    {
        _kick?.Dispose();
        _kick = null;
        LiveSession? live = Live;
        Live = null;
        if (live is not null)
            await live.DisposeAsync().ConfigureAwait(false);
    }

    [LoggerMessage(LogLevel.Warning, "session {Session}: {Reason}")]
    private static partial void Unavailable(ILogger log, string session, string reason);
}
