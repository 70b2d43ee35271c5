using System.Buffers;
using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Lmtp.Filtering;
using MailCluster.Net;
using Microsoft.Extensions.Logging;

namespace MailCluster.Lmtp;

/// <summary>One connection: commands in, replies out, in order (RFC 2920: a burst of commands is answered in a burst).</summary>
internal sealed partial class LmtpSession : IAsyncDisposable
{
    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly IConnection _connection;
    private readonly MailClusterClient _cluster;
    private readonly LmtpOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly RecipientResolver _resolver;
    private readonly Delivery _delivery;

    /// <summary>Recipients that are being looked up, in the order in which they were named: those of a burst together. Their replies come before anything else is answered.</summary>
    private readonly Queue<(string Address, Task<MailResult<IReadOnlyList<(AccountSettings Settings, string? Detail)>>> Resolving)> _named = new();

    /// <summary>Null until LHLO.</summary>
    private string? _clientName;
    private Transaction? _transaction;
    private int _badCommands;
    private int _messages;
    private bool _quit;

    public LmtpSession(IConnection connection, MailClusterClient cluster, LmtpOptions options, TimeProvider time, ILogger log, Filters? filters)
    {
        _connection = connection;
        _cluster = cluster;
        _options = options;
        _time = time;
        _log = log;
        _resolver = new RecipientResolver(cluster);
        _delivery = new Delivery(cluster, options, log, filters, connection.Resume);
    }

    public async Task RunAsync()
    {
        Say($"220 {_options.HostName} LMTP MailCluster");
        while (!_quit)
        {
            InputLine line = await _connection.ReadLineAsync(_options.MaxLineLength, _options.CommandTimeout).ConfigureAwait(false);
            if (line.Outcome != InputOutcome.Ok)
                await AnswerRecipientsAsync().ConfigureAwait(false);
            switch (line.Outcome)
            {
                case InputOutcome.Ok:
                    string? text = Decode(line.Text);
                    _connection.Input.AdvanceTo(line.End);
                    await RunCommandAsync(text).ConfigureAwait(false);
                    break;
                case InputOutcome.TooLong:
                    Bad(LmtpReply.LineTooLong);
                    break;
                case InputOutcome.Flood:
                    Say(LmtpReply.LineTooLong);
                    return;
                case InputOutcome.Draining:
                    Say(LmtpReply.ShuttingDown);
                    return;
                case InputOutcome.TimedOut:
                    Say(LmtpReply.TimedOut);
                    return;
                case InputOutcome.Closed:
                    return;
            }
            if (_badCommands >= _options.MaxBadCommands)
            {
                Say(LmtpReply.TooManyErrors);
                return;
            }
            if (_connection.Output.ShouldFlush)
                await _connection.Output.FlushAsync().ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync() => ResetAsync();

    /// <param name="line">Null: what came is no text.</param>
    private async ValueTask RunCommandAsync(string? line)
    {
        if (line is null)
        {
            await AnswerRecipientsAsync().ConfigureAwait(false);
            Bad(LmtpReply.NotText);
            return;
        }
        int blank = line.IndexOf(' ');
        string verb = (blank < 0 ? line : line[..blank]).ToUpperInvariant();
        string argument = blank < 0 ? "" : line[(blank + 1)..].Trim(' ');
        if (verb != "RCPT")
            await AnswerRecipientsAsync().ConfigureAwait(false);
        switch (verb)
        {
            case "LHLO":
                await LhloAsync(argument).ConfigureAwait(false);
                break;
            case "HELO" or "EHLO":
                Bad(LmtpReply.SpeaksLmtp);
                break;
            case "MAIL":
                Mail(argument);
                break;
            case "RCPT":
                await RcptAsync(argument).ConfigureAwait(false);
                break;
            case "DATA":
                await DataAsync(argument).ConfigureAwait(false);
                break;
            case "BDAT":
                await BdatAsync(argument).ConfigureAwait(false);
                break;
            case "RSET":
                if (argument.Length > 0)
                {
                    Bad(LmtpReply.NoArguments);
                    break;
                }
                await ResetAsync().ConfigureAwait(false);
                Say(LmtpReply.Ok);
                break;
            case "NOOP":
                Say(LmtpReply.Ok);
                break;
            case "VRFY":
                Say(LmtpReply.CannotVerify);
                break;
            case "HELP":
                Say(LmtpReply.Help);
                break;
            case "STARTTLS":
                await StartTlsAsync(argument).ConfigureAwait(false);
                break;
            case "QUIT":
                Say(LmtpReply.Bye);
                _quit = true;
                break;
            default:
                Bad(LmtpReply.Unknown);
                break;
        }
    }

    private async ValueTask LhloAsync(string name)
    {
        if (name.Length is 0 or > 255 || name.Any(static c => c <= ' ' || c is '(' or ')' or '<' or '>' or ';' || char.IsControl(c)))
        {
            Bad(LmtpReply.NeedsName);
            return;
        }
        await ResetAsync().ConfigureAwait(false);
        _clientName = name;
        Say($"250-{_options.HostName}");
        Say("250-PIPELINING");
        Say("250-8BITMIME");
        Say("250-SMTPUTF8");
        Say("250-ENHANCEDSTATUSCODES");
        Say("250-CHUNKING");
        if (_connection.CanStartTls)
            Say("250-STARTTLS");
        Say($"250 SIZE {_options.MaxMessageSize}");
    }

    private async ValueTask StartTlsAsync(string argument)
    {
        if (argument.Length > 0)
        {
            Bad(LmtpReply.NoArguments);
        }
        else if (!_connection.CanStartTls)
        {
            Bad(LmtpReply.NoTls);
        }
        else if (_connection.HasBufferedInput)
        {
            // What follows in clear would be run as if it had come under TLS (RFC 3207 section 6).
            Say(LmtpReply.Injected);
            _quit = true;
        }
        else
        {
            Say(LmtpReply.ReadyForTls);
            await _connection.StartTlsAsync().ConfigureAwait(false);
            // All that was known is forgotten (RFC 3207 section 4.2).
            await ResetAsync().ConfigureAwait(false);
            _clientName = null;
        }
    }

    /// <summary>Ends the transaction; what was received of a message is not kept.</summary>
    private async ValueTask ResetAsync()
    {
        Transaction? transaction = _transaction;
        _transaction = null;
        if (transaction?.Chunks is { } chunks)
            await chunks.DisposeAsync().ConfigureAwait(false);
    }

    private static string? Decode(in ReadOnlySequence<byte> line)
    {
        try
        {
            return StrictUtf8.GetString(line);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private void Bad(string reply)
    {
        _badCommands++;
        Say(reply);
    }

    private void Say(string reply)
    {
        Encoding.UTF8.GetBytes(reply, _connection.Output);
        _connection.Output.Write("\r\n"u8);
    }
}
