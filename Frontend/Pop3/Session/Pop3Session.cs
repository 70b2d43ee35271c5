using System.Buffers;
using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Net;
using MailCluster.Pop3.Commands;
using MailCluster.Pop3.Wire;
using MailCluster.Sasl;

namespace MailCluster.Pop3.Session;

/// <summary>One POP3 connection: a line in, an answer out, in order; what a client has pipelined is answered together (RFC 2449 section 6.6).</summary>
internal sealed partial class Pop3Session : IAsyncDisposable
{
    private readonly long _opened;
    private LiveSession? _live;
    private IDisposable? _kick;
    private int _badInARow;

    public Pop3Session(IConnection connection, Pop3Services services)
    {
        (Connection, Services, _log) = (connection, services, services.Log);
        _opened = services.Time.GetTimestamp();
        Wait = new CommandWait(Gone);
    }

    public IConnection Connection { get; }

    public Pop3Services Services { get; }

    public Pop3Options Options => Services.Options;

    /// <summary>What a log-in has to know of the connection as it is now.</summary>
    public SaslConnection LogsIn() => SaslConnection.Of("pop3", Connection, Options.AllowPlaintextLogin) with { Delay = Options.LoginDelay };

    public MailClusterClient Cluster => Services.Cluster;

    /// <summary>The maildrop is let go when another state takes the place of TRANSACTION.</summary>
    public SessionState State
    {
        get;
        set
        {
            (field as Transaction)?.Maildrop.Dispose();
            field = value;
        }
    } = new Authorization();

    /// <summary>The client has said UTF8 (RFC 6856 section 2.1).</summary>
    public bool Utf8 { get; set; }

    /// <summary>Failed log-ins on this connection.</summary>
    public int FailedLogins { get; set; }

    /// <summary>Cancelled when the client is gone.</summary>
    public CancellationToken Gone => Connection.Closed;

    /// <summary>How long the running command may wait for the cluster.</summary>
    public CommandWait Wait { get; private set; }

    public async Task RunAsync()
    {
        Ok("POP3 server ready");
        while (State is not Ended)
        {
            if (await ReadLineAsync() is { } line)
                await HandleAsync(CommandLine.Parse(line));
            await FlushIfFullAsync();
        }
    }

    /// <summary>
    /// The next line. Null where there is none: the session has ended (and said so where there was something to say), or the line was no text and was answered.
    /// </summary>
    public async ValueTask<string?> ReadLineAsync()
    {
        InputLine line = await Connection.ReadLineAsync(Options.MaxLineLength, TimeLeft);
        switch (line.Outcome)
        {
            case InputOutcome.Ok:
                string? text = CommandLine.Decode(line.Text);
                Connection.Input.AdvanceTo(line.End);
                if (text is null)
                    Bad("The line is not UTF-8 text");
                return text;
            case InputOutcome.TooLong:
                Bad("The line is too long");
                return null;
            case InputOutcome.Flood:
                End(null, "The line is too long");
                return null;
            case InputOutcome.Draining:
                End(ErrorCodes.Temporary, "The server is shutting down");
                return null;
            case InputOutcome.Woken:
                if (KickReason is { } reason)
                    End(ErrorCodes.Temporary, reason);
                return null;
            default:
                // The autologout timer sends nothing (RFC 1939 section 3).
                State = new Ended();
                return null;
        }
    }

    /// <summary>Enters TRANSACTION.</summary>
    public void LoggedIn(LiveSession live, Maildrop maildrop)
    {
        Connection.LoggedIn();
        _kick = live.Kicked.UnsafeRegister(static connection => ((IConnection)connection!).InputTimeout.Wake(), Connection);
        _live = live;
        live.Select(maildrop.Key);
        State = new Transaction(live, maildrop);
    }

    public void Ok(string text) => Line("+OK ", text);

    /// <param name="code">See <see cref="ErrorCodes"/>; null for none.</param>
    public void Err(string? code, string text)
    {
        _failed = true;
        Line("-ERR ", code is null ? text : $"[{code}] {text}");
    }

    public void Err(MailError error) => Err(ErrorCodes.Of(error.Code), error.Text);

    /// <summary>-ERR for what no client that keeps to the protocol sends; too many of them in a row end the connection.</summary>
    public void Bad(string text)
    {
        if (++_badInARow >= (State is Transaction ? Options.BadCommands : Options.BadCommandsBeforeLogin))
            End(null, "Too many bad commands");
        else
            Err(null, text);
    }

    /// <summary>Says -ERR, and nothing more: the session ends without UPDATE.</summary>
    public void End(string? code, string text)
    {
        Err(code, text);
        State = new Ended();
    }

    /// <summary>A line of a multi-line response, which begins with no dot; or the dot that ends it.</summary>
    public void Line(string line) => Line(line, "");

    public ValueTask FlushIfFullAsync() => Connection.Output.ShouldFlush ? Connection.Output.FlushAsync() : ValueTask.CompletedTask;

    /// <summary>Gives the account's lease back, and with it the lock of the maildrop.</summary>
    public async ValueTask DisposeAsync()
    {
        State = new Ended();
        _kick?.Dispose();
        if (_live is not null)
            await _live.DisposeAsync();
    }

    private string? KickReason => _live?.KickReason;

    private TimeSpan TimeLeft
    {
        get
        {
            if (State is Transaction)
                return Options.IdleTimeout;
            TimeSpan left = Options.LoginTimeout - Services.Time.GetElapsedTime(_opened);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    private void Line(string start, string text)
    {
        IBufferWriter<byte> output = Connection.Output;
        Encoding.UTF8.GetBytes(start, output);
        Encoding.UTF8.GetBytes(text, output);
        output.Write("\r\n"u8);
    }
}
