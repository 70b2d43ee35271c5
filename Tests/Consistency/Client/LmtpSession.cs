using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Client;

/// <summary>
/// Delivers by LMTP (RFC 2033), one connection a delivery, and adds an operation for each recipient. A temporary refusal may have stored the message, as far as a sender
/// knows: it has code UNAVAILABLE; a lasting one has OVERQUOTA (552, 5.2.2) or none.
/// </summary>
internal sealed class LmtpSession : IDisposable
{
    private readonly TcpClient _tcp;
    private readonly NetworkStream _stream;
    private readonly StreamReader _reader;
    private readonly SessionContext _context;
    private readonly Transcript _transcript = new();
    private readonly string _frontEnd;
    private readonly int _number;

    private LmtpSession(TcpClient tcp, SessionContext context, string frontEnd)
    {
        (_tcp, _context, _frontEnd) = (tcp, context, frontEnd);
        _stream = tcp.GetStream();
        _reader = new StreamReader(_stream, Encoding.Latin1);
        _number = context.Recorder.NextSession();
        context.Recorder.Add(new SessionFacts(_number, "", frontEnd, _transcript.ToString));
    }

    /// <summary>The outcome for each recipient; empty where nobody answers there.</summary>
    public static async Task<IReadOnlyList<Outcome>> DeliverAsync(
        SessionContext context, EndPoint server, IReadOnlyList<string> recipients, NewMessage message, byte[] octets)
    {
        if (await Connector.DialAsync(server, context.Silence) is not { } tcp)
            return [];
        using var session = new LmtpSession(tcp, context, server.ToString()!);
        return await session.SendAsync(recipients, message, octets);
    }

    public void Dispose()
    {
        _reader.Dispose();
        _tcp.Dispose();
    }

    private async Task<IReadOnlyList<Outcome>> SendAsync(IReadOnlyList<string> recipients, NewMessage message, byte[] octets)
    {
        long invoked = Stopwatch.GetTimestamp();
        long[] numbers = [.. recipients.Select(_ => _context.Recorder.NextNumber())];
        var replies = new string?[recipients.Count];
        SeenBreach? breach = null;
        try
        {
            await TalkAsync(recipients, octets, replies);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            _transcript.Note(e.Message);
        }
        catch (OperationCanceledException)
        {
            breach = new SeenBreach(Stopwatch.GetTimestamp(), null, "silence", $"LMTP: nothing came for {_context.Silence.TotalSeconds} s");
        }
        for (int i = 0; i < recipients.Count; i++)
            Record(numbers[i], invoked, new Deliver(recipients[i], message), replies[i], i == 0 ? breach : null);
        return [.. replies.Select(OutcomeOf)];
    }

    // What has no answer when it ends stays null: unknown.
    private async Task TalkAsync(IReadOnlyList<string> recipients, byte[] octets, string?[] replies)
    {
        await ReplyAsync();
        await CommandAsync("LHLO check.test");
        if (await CommandAsync("MAIL FROM:<check@check.test>") is var mail && !mail.StartsWith('2'))
        {
            Array.Fill(replies, mail);
            return;
        }
        for (int i = 0; i < recipients.Count; i++)
            replies[i] = await CommandAsync($"RCPT TO:<{recipients[i]}>");
        int[] accepted = [.. Enumerable.Range(0, recipients.Count).Where(i => replies[i]!.StartsWith('2'))];
        if (accepted.Length == 0)
            return;
        // A recipient that was taken has no mail yet.
        foreach (int i in accepted)
            replies[i] = null;
        string data = await CommandAsync("DATA");
        foreach (int i in accepted)
            replies[i] = data.StartsWith('3') ? null : data;
        if (!data.StartsWith('3'))
            return;
        _transcript.Client($"({octets.Length} octets)");
        await _stream.WriteAsync(octets);
        await _stream.WriteAsync(".\r\n"u8.ToArray());
        foreach (int i in accepted)
            replies[i] = await ReplyAsync();
        await CommandAsync("QUIT");
    }

    private async Task<string> CommandAsync(string line)
    {
        _transcript.Client(line);
        await _stream.WriteAsync(Encoding.Latin1.GetBytes(line + "\r\n"));
        return await ReplyAsync();
    }

    /// <summary>The last line of a reply.</summary>
    private async Task<string> ReplyAsync()
    {
        using var silence = new CancellationTokenSource(_context.Silence);
        while (true)
        {
            string line = await _reader.ReadLineAsync(silence.Token) ?? throw new IOException("the server ended the connection");
            _transcript.Server(line);
            // What BYE is in IMAP: the server goes, and its clients with it (RFC 5321 §4.2.1).
            if (line.StartsWith("421", StringComparison.Ordinal))
                throw new IOException(line);
            if (line.Length < 4 || line[3] != '-')
                return line;
        }
    }

    private static Outcome OutcomeOf(string? reply) => reply is null ? Outcome.Unknown : reply.StartsWith('2') ? Outcome.Ok : Outcome.No;

    /// <summary>Without the sub-address.</summary>
    private static string AccountOf(string recipient)
    {
        int plus = recipient.IndexOf('+');
        return plus < 0 ? recipient : recipient[..plus] + recipient[recipient.IndexOf('@')..];
    }

    private void Record(long number, long invoked, Deliver act, string? reply, SeenBreach? breach)
    {
        Outcome outcome = OutcomeOf(reply);
        string? code = outcome != Outcome.No ? null : reply!.StartsWith('4') ? "UNAVAILABLE" : reply.Contains("5.2.2", StringComparison.Ordinal) ? "OVERQUOTA" : null;
        long completed = outcome == Outcome.Unknown ? long.MaxValue : Stopwatch.GetTimestamp();
        var seen = new List<Seen>();
        if (breach is not null)
            seen.Add(breach);
        if (outcome == Outcome.No && code is null)
            seen.Add(new SeenBreach(completed, null, "refused", $"LMTP for {act.Recipient}: {reply}"));
        var operation = new Operation(number, _number, AccountOf(act.Recipient), invoked, completed, outcome, code, act, seen, $"LMTP {act.Message.Mark} to {act.Recipient}");
        _context.Recorder.Add(operation);
        _context.Completions.Add(_frontEnd, operation);
    }
}
