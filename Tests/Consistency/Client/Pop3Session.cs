using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using MailCluster.Consistency.History;
using MailCluster.Contracts;

namespace MailCluster.Consistency.Client;

/// <summary>
/// One session of POP3 (RFC 1939): the log-in and UIDL are one reading of INBOX, which may be as it was at the log-in, less what was removed since; RETR and TOP read one message
/// each; QUIT removes what was marked. -ERR [SYS/TEMP] has code UNAVAILABLE, [IN-USE] INUSE.
/// </summary>
internal sealed class Pop3Session : IDisposable
{
    private readonly TcpClient _tcp;
    private readonly NetworkStream _stream;
    private readonly StreamReader _reader;
    private readonly SessionContext _context;
    private readonly Transcript _transcript = new();
    private readonly string _frontEnd;
    private readonly string _account;
    private readonly int _number;
    private readonly List<Seen> _breaches = [];
    private readonly List<uint> _marked = [];
    private bool _ended;

    private Pop3Session(TcpClient tcp, SessionContext context, string account, string frontEnd)
    {
        (_tcp, _context, _account, _frontEnd) = (tcp, context, account, frontEnd);
        _stream = tcp.GetStream();
        _reader = new StreamReader(_stream, Encoding.Latin1);
        _number = context.Recorder.NextSession();
        context.Recorder.Add(new SessionFacts(_number, account, frontEnd, _transcript.ToString));
    }

    /// <summary>Which mailbox it is; null where that is not known, as that of one without messages.</summary>
    public MailboxRef? Mailbox { get; private set; }

    /// <summary>Message-numbers and UIDs as UIDL told them.</summary>
    public IReadOnlyList<(int Number, uint Uid)> Messages { get; private set; } = [];

    /// <summary>Logs in and lists; null where nobody answers, or the log-in was refused.</summary>
    public static async Task<Pop3Session?> OpenAsync(SessionContext context, EndPoint server, string user, string password)
    {
        if (await Connector.DialAsync(server, context.Silence) is not { } tcp)
            return null;
        var session = new Pop3Session(tcp, context, user, server.ToString()!);
        if (await session.ListAsync(user, password))
            return session;
        session.Dispose();
        return null;
    }

    /// <summary>RETR, or TOP n 0; false where the session has ended.</summary>
    public async Task<bool> ReadAsync(int number, uint uid, bool whole)
    {
        var seen = new List<Seen>();
        string command = whole ? $"RETR {number}" : $"TOP {number} 0";
        await DoAsync(command, new Read(whole ? "POP3 RETR" : "POP3 TOP", Mailbox), seen, async () =>
        {
            string answer = await CommandAsync(command);
            if (!answer.StartsWith("+OK", StringComparison.Ordinal))
            {
                if (answer.Contains("removed by another session", StringComparison.Ordinal) && Mailbox is { } lost)
                    seen.Add(new SeenGone(Stopwatch.GetTimestamp(), lost, UidSet.Single(uid)));
                return answer;
            }
            byte[] octets = Encoding.Latin1.GetBytes(string.Concat((await LinesAsync()).Select(static l => l + "\r\n")));
            if (whole && !answer.StartsWith($"+OK {octets.Length} ", StringComparison.Ordinal))
                Breach("size", $"{octets.Length} octets came after \"{answer}\"");
            int end = octets.AsSpan().IndexOf("\r\n\r\n"u8);
            string mark = FetchItems.MarkIn(Encoding.Latin1.GetString(octets, 0, end < 0 ? octets.Length : end));
            if (Mailbox is { } mailbox)
                seen.Add(new SeenMessage(Stopwatch.GetTimestamp(), mailbox, uid, mark, null, null, !whole || _context.BodyIsRight(octets)));
            return answer;
        });
        return !_ended;
    }

    /// <summary>DELE; nothing happens to the mailbox.</summary>
    public async Task MarkAsync(int number, uint uid)
    {
        var seen = new List<Seen>();
        await DoAsync($"DELE {number}", new Read("POP3 DELE", Mailbox), seen, async () =>
        {
            string answer = await CommandAsync($"DELE {number}");
            if (answer.StartsWith("+OK", StringComparison.Ordinal))
                _marked.Add(uid);
            else if (answer.Contains("removed by another session", StringComparison.Ordinal) && Mailbox is { } lost)
                seen.Add(new SeenGone(Stopwatch.GetTimestamp(), lost, UidSet.Single(uid)));
            return answer;
        });
    }

    /// <summary>QUIT: what is marked goes, as one change.</summary>
    public Task QuitAsync()
    {
        Act act = Mailbox is { } mailbox && _marked.Count > 0 ? new Remove(mailbox, UidSet.FromUids(_marked)) : new Read("POP3 QUIT", Mailbox);
        return DoAsync("QUIT", act, [], () => CommandAsync("QUIT"));
    }

    public void Dispose()
    {
        _reader.Dispose();
        _tcp.Dispose();
    }

    private async Task<bool> ListAsync(string user, string password)
    {
        var seen = new List<Seen>();
        bool listed = false;
        await DoAsync("USER, PASS, UIDL", new Read("POP3 UIDL", null), seen, async () =>
        {
            string answer = await LineAsync();
            if (answer.StartsWith("+OK", StringComparison.Ordinal))
                answer = await CommandAsync($"USER {user}");
            if (answer.StartsWith("+OK", StringComparison.Ordinal))
                answer = await CommandAsync($"PASS {password}", "PASS …");
            if (answer.StartsWith("+OK", StringComparison.Ordinal))
                answer = await CommandAsync("UIDL");
            if (!answer.StartsWith("+OK", StringComparison.Ordinal))
                return answer;
            Take(await LinesAsync());
            listed = true;
            if (Mailbox is { } mailbox)
                seen.Add(new SeenAll(Stopwatch.GetTimestamp(), mailbox, UidSet.FromUids(Messages.Select(static m => m.Uid)), null));
            return answer;
        });
        return listed && !_ended;
    }

    /// <summary>"n uidvalidity.uid" each.</summary>
    private void Take(IReadOnlyList<string> lines)
    {
        var messages = new List<(int, uint)>();
        foreach (string line in lines)
        {
            if (line.Split(' ', '.') is not [var number, var validity, var uid] || !int.TryParse(number, out int n) || !uint.TryParse(validity, out uint v) || !uint.TryParse(uid, out uint u)
                || (messages.Count > 0 && (messages[^1].Item1 >= n || messages[^1].Item2 >= u)))
            {
                Breach("uid-order", $"UIDL: {line}");
                continue;
            }
            messages.Add((n, u));
            Mailbox = _context.Registry.Of(_account, "INBOX", v);
        }
        Messages = messages;
    }

    /// <summary>Runs something as one operation of the history.</summary>
    private async Task DoAsync(string text, Act act, List<Seen> seen, Func<Task<string>> talk)
    {
        long number = _context.Recorder.NextNumber(), invoked = Stopwatch.GetTimestamp();
        string? answer = null;
        try
        {
            answer = await talk();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            _transcript.Note(e.Message);
            _ended = true;
        }
        catch (OperationCanceledException)
        {
            Breach("silence", $"POP3: nothing came for {_context.Silence.TotalSeconds} s");
            _ended = true;
        }
        long completed = Stopwatch.GetTimestamp();
        Outcome outcome = answer is null ? Outcome.Unknown : answer.StartsWith("+OK", StringComparison.Ordinal) ? Outcome.Ok : Outcome.No;
        string? code = outcome != Outcome.No ? null : answer!.Contains("[SYS/TEMP]", StringComparison.Ordinal) ? "UNAVAILABLE"
            : answer.Contains("[IN-USE]", StringComparison.Ordinal) ? "INUSE" : answer.Contains("removed by another session", StringComparison.Ordinal) ? "EXPUNGEISSUED"
            // INBOX was renamed or its account's other mailboxes took its place: the maildrop is gone.
            : answer.Contains("[SYS/PERM]", StringComparison.Ordinal) ? "NONEXISTENT" : null;
        if (outcome == Outcome.No && code is null)
            Breach("refused", $"POP3 {text}: {answer}");
        var operation = new Operation(
            number, _number, _account, invoked, outcome == Outcome.Unknown ? long.MaxValue : completed, outcome, code, act is Read read ? read with { In = Mailbox } : act, [.. seen, .. _breaches], $"POP3 {text}");
        _breaches.Clear();
        _context.Recorder.Add(operation);
        _context.Completions.Add(_frontEnd, operation);
    }

    private void Breach(string promise, string what) => _breaches.Add(new SeenBreach(Stopwatch.GetTimestamp(), Mailbox, promise, what));

    private async Task<string> CommandAsync(string line, string? shown = null)
    {
        _transcript.Client(shown ?? line);
        await _stream.WriteAsync(Encoding.Latin1.GetBytes(line + "\r\n"));
        return await LineAsync();
    }

    private async Task<string> LineAsync()
    {
        using var silence = new CancellationTokenSource(_context.Silence);
        string line = await _reader.ReadLineAsync(silence.Token) ?? throw new IOException("the server ended the connection");
        _transcript.Server(line);
        // What BYE is in IMAP: it comes in place of the answer.
        if (line.Contains("shutting down", StringComparison.Ordinal))
            throw new IOException(line);
        return line;
    }

    /// <summary>The lines of an answer up to its dot, each as it was before a dot was put before its own.</summary>
    private async Task<IReadOnlyList<string>> LinesAsync()
    {
        var lines = new List<string>();
        for (string line = await LineAsync(); line != "."; line = await LineAsync())
            lines.Add(line.StartsWith('.') ? line[1..] : line);
        return lines;
    }
}
