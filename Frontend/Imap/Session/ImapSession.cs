using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Languages;
using MailCluster.Imap.Wire;
using MailCluster.Net;
using MailCluster.Sasl;

namespace MailCluster.Imap.Session;

/// <summary>
/// One IMAP connection: reads a command, runs it, answers it, until one side says goodbye. One command at a time, in the order in which they came; what a
/// client has pipelined waits in the input, and replies are sent together once nothing waits any more.
/// </summary>
public sealed partial class ImapSession : IAsyncDisposable
{
    private SessionInput _input;
    private LiveSession? _live;
    private string? _client;
    private IDisposable? _kick;
    private long _loginDeadline;
    private int _badInARow;
    private string? _runningTag;
    private bool _compressed;

    internal ImapSession(IConnection connection, ImapServices services)
    {
        Connection = connection;
        Services = services;
        _log = services.Log;
        AwaitLogin();
        (_input, Reader, Reply) = Begin();
        Wait = new CommandWait(Gone, connection.Resume);
    }

    public IConnection Connection { get; }

    public ImapServices Services { get; }

    public ImapOptions Options => Services.Options;

    public MailClusterClient Cluster => Services.Cluster;

    /// <summary>A mailbox is let go when another state takes the place of its own.</summary>
    public SessionState State
    {
        get;
        internal set
        {
            if (field is Selected { Mailbox: var left })
            {
                Notify?.Left(left);
                left.Dispose();
            }
            field = value;
            _live?.Select((value as Selected)?.Mailbox.Key);
        }
    } = new NotAuthenticated();

    /// <summary>Writes into the connection's output.</summary>
    public ReplyWriter Reply { get; private set; }

    public CommandReader Reader { get; private set; }

    /// <summary>Cancelled when the client is gone.</summary>
    public CancellationToken Gone => Connection.Closed;

    /// <summary>How long the running command may wait for the cluster.</summary>
    internal CommandWait Wait { get; private set; }

    /// <summary>For a command that goes on for as long as the client likes: what it does now has a command's whole time again.</summary>
    internal void WaitAnew() => Wait = new CommandWait(Gone, Connection.Resume);

    /// <summary>Failed log-ins on this connection.</summary>
    internal int FailedLogins { get; set; }

    internal async Task RunAsync()
    {
        Reply.Status(null, "OK"u8, "CAPABILITY " + Capabilities.Of(this), "IMAP4 ready");
        while (State is not LoggedOut)
        {
            if (Notify is not null && !await TellNewsAsync(idle: false))
                break;
            if (await NextAsync(static reader => reader.ReadAsync(default), betweenCommands: true) is not { } read)
                break;
            await HandleAsync(read);
            await FlushIfFullAsync();
        }
        await Connection.Output.FlushAsync();
    }

    /// <summary>Reads what the client sends next; null when the session ended instead (BYE was said where there is someone to hear it).</summary>
    /// <param name="betweenCommands">No command is in progress: what NOTIFY asked for is told.</param>
    internal async ValueTask<CommandRead?> NextAsync(Func<CommandReader, ValueTask<CommandRead>> read, bool line = false, bool betweenCommands = false)
    {
        _input.Within(TimeLeft);
        while (true)
        {
            CommandRead result = await read(Reader);
            switch (result.Status)
            {
                case CommandReadStatus.Interrupted:
                    if (EndedByServer() || (betweenCommands && Notify is not null && !await TellNewsAsync(idle: false)))
                        return null;
                    read = line ? static reader => reader.ReadLineAsync(default) : static reader => reader.ReadAsync(default);
                    continue;
                case CommandReadStatus.End:
                    State = new LoggedOut();
                    return null;
                case CommandReadStatus.Close:
                    Bye(null, "The command is too long");
                    return null;
                default:
                    Connection.InputTimeout.Clear();
                    return result;
            }
        }
    }

    /// <summary>For IDLE: the next line, or null where there may be news, where <paramref name="keepAlive"/> is over (and was answered), or where the session ended.</summary>
    internal async ValueTask<CommandRead?> NextLineOrNewsAsync(TimeSpan keepAlive)
    {
        _input.Within(keepAlive);
        CommandRead line = await Reader.ReadLineAsync(default);
        bool beat = Connection.InputTimeout.Expired;
        Connection.InputTimeout.Clear();
        switch (line.Status)
        {
            case CommandReadStatus.Interrupted:
                if (!EndedByServer() && beat)
                    Reply.Status(null, "OK"u8, null, "Still here");
                return null;
            case CommandReadStatus.End:
                State = new LoggedOut();
                return null;
            default:
                return line;
        }
    }

    /// <summary>A wait for input was broken off: true when the session ends with it, which is then said.</summary>
    internal bool EndedByServer()
    {
        Connection.InputTimeout.TakeWake();
        if (Gone.IsCancellationRequested)
            State = new LoggedOut();
        else if (Connection.Draining.IsCancellationRequested)
            Bye("UNAVAILABLE", "The server is shutting down");
        else if (KickReason is { } reason)
            Bye(null, reason);
        else if (Connection.InputTimeout.Expired)
            Bye(null, State is Authenticated ? "Nothing was heard of you for too long" : "You took too long to log in");
        return State is LoggedOut;
    }

    /// <summary>Says an untagged BYE; the connection closes when the running command has ended.</summary>
    internal void Bye(string? code, string text)
    {
        Reply.Status(null, "BYE"u8, code, text);
        State = new LoggedOut();
    }

    /// <summary>The selected mailbox went away: never another of its name takes its place.</summary>
    internal void Bye(MailboxEnd end) =>
        Bye(null, end == MailboxEnd.Deleted ? "The selected mailbox was deleted" : "The selected mailbox was replaced by another of its name");

    /// <summary>What a log-in has to know of this connection as it is now.</summary>
    internal SaslConnection LogsIn() => SaslConnection.Of("imap", Connection, Options.AllowPlaintextLogin && !Options.Dialects);

    /// <summary>The user is who he says he is.</summary>
    internal void LoggedIn(LiveSession live)
    {
        Connection.LoggedIn();
        Reader.LoggedIn = true;
        _kick = live.Kicked.UnsafeRegister(static connection => ((IConnection)connection!).InputTimeout.Wake(), Connection);
        _live = live;
        live.Client = _client;
        State = new Authenticated(new ImapUser(live, Cluster, live.Actor));
    }

    /// <summary>The user is an operator's, who may have another one on this connection (RFC 8437).</summary>
    internal bool MayUnauthenticate => _live?.Operator is not null;

    /// <summary>Nobody is logged in any more, and nothing of what he had is left but TLS and what the client calls itself. False where the connection has to end.</summary>
    internal async ValueTask<bool> UnauthenticateAsync()
    {
        State = new NotAuthenticated();
        Notify = null;
        _kick?.Dispose();
        _kick = null;
        if (_live is { } live)
        {
            _live = null;
            await live.DisposeAsync();
        }
        Reader.LoggedIn = false;
        (Reply.Charset, Reply.Language) = (WireCharset.Rev1, Language.Default);
        AwaitLogin();
        return Connection.LoggedOut();
    }

    /// <summary>Answers OK to STARTTLS and goes on under TLS; all that was learnt before is forgotten (RFC 9051 §6.2.1).</summary>
    internal async ValueTask StartTlsAsync()
    {
        await Connection.StartTlsAsync();
        (_input, Reader, Reply) = Begin();
    }

    /// <summary>Goes on under DEFLATE, for which there is a place.</summary>
    internal async ValueTask CompressAsync()
    {
        _compressed = true;
        await Connection.StartDeflateAsync();
        (WireCharset charset, Language language) = (Reply.Charset, Reply.Language);
        (_input, Reader, Reply) = Begin();
        Reader.LoggedIn = true;
        (Reply.Charset, Reply.Language) = (charset, language);
    }

    /// <summary>Goes on without DEFLATE; false where the client doesn't.</summary>
    /// <param name="last">Writes what is compressed as the last.</param>
    internal async ValueTask<bool> EndCompressionAsync(Action last)
    {
        using var clock = new CancellationTokenSource(Options.LoginTimeout, Services.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Gone, clock.Token);
        try
        {
            if (Reader.HasMoreInput || !await Connection.StopDeflateAsync(last, limit.Token))
                return false;
        }
        catch (OperationCanceledException) when (!Gone.IsCancellationRequested)
        {
            return false;
        }
        _compressed = false;
        Services.EndCompressed();
        (_input, Reader, Reply) = Begin();
        return true;
    }

    /// <summary>Hands on what was written when it is much, and waits for a client that reads slowly.</summary>
    public ValueTask FlushIfFullAsync() => Connection.Output.ShouldFlush ? Connection.Output.FlushAsync() : ValueTask.CompletedTask;

    /// <summary>Runs <paramref name="work"/> on a literal that streams: only silence ends it, not a shutdown or news.</summary>
    internal async ValueTask<T> StreamingAsync<T>(Func<ValueTask<T>> work)
    {
        _input.LiteralTimeout = Options.IdleTimeout;
        try
        {
            return await work();
        }
        finally
        {
            _input.LiteralTimeout = null;
            Connection.InputTimeout.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_compressed)
            Services.EndCompressed();
        _kick?.Dispose();
        State = new LoggedOut();
        Notify = null;
        if (_live is not null)
            await _live.DisposeAsync();
    }

    private string? KickReason => _live?.KickReason;

    private TimeSpan TimeLeft
    {
        get
        {
            if (State is Authenticated)
                return Options.IdleTimeout;
            TimeSpan left = Services.Time.GetElapsedTime(Services.Time.GetTimestamp(), _loginDeadline);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>The time to log in begins.</summary>
    private void AwaitLogin() => _loginDeadline = Services.Time.GetTimestamp() + (long)(Options.LoginTimeout.TotalSeconds * Services.Time.TimestampFrequency);

    private (SessionInput, CommandReader, ReplyWriter) Begin()
    {
        var input = new SessionInput(Connection);
        return (input, new CommandReader(input, Options.Commands), new ReplyWriter(Connection.Output));
    }
}
