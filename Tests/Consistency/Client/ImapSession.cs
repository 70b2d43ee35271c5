using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using MailCluster.Consistency.History;

namespace MailCluster.Consistency.Client;

/// <summary>What all sessions of a run share.</summary>
/// <param name="Silence">After so long without an octet where an answer is due the session is given up, and that is a breach.</param>
internal sealed record SessionContext(Recorder Recorder, MailboxRegistry Registry, Func<byte[], bool> BodyIsRight, TimeSpan Silence, ICompletions Completions);

/// <summary>Hears of every command that ended.</summary>
internal interface ICompletions
{
    void Add(string frontEnd, Operation operation);
}

/// <summary>
/// One IMAP connection: every command goes through <see cref="RunAsync(Command)"/> or <see cref="PipelineAsync"/>, which make the <see cref="Operation"/>. Nothing throws when the
/// connection ends: commands under way get <see cref="Outcome.Unknown"/>, and <see cref="HasEnded"/> is true.
/// </summary>
internal sealed class ImapSession : IDisposable
{
    private readonly ImapWire _wire;
    private readonly SessionContext _context;
    private readonly string _account;
    private readonly string _frontEnd;
    private readonly int _number;
    private readonly Transcript _transcript = new();
    private readonly Queue<Answer> _under = [];
    private readonly List<Seen> _unasked = [];
    private int _lastTag;
    private string? _bye;
    private bool _isLeaving;

    public ImapSession(ImapWire wire, SessionContext context, string account, string frontEnd)
    {
        _wire = wire;
        _context = context;
        _account = account;
        _frontEnd = frontEnd;
        _number = context.Recorder.NextSession();
        Model = new SessionModel(account, context.Registry, context.BodyIsRight);
        context.Recorder.Add(new SessionFacts(_number, account, frontEnd, _transcript.ToString));
    }

    public SessionModel Model { get; }

    public string Account => _account;

    public string FrontEnd => _frontEnd;

    public bool HasEnded { get; private set; }

    /// <summary>The text of a BYE; null where none came.</summary>
    public string? Bye => _bye;

    /// <summary>Is told of every untagged response, in their order.</summary>
    public Action<Response>? Heard { get; set; }

    /// <summary>In upper case.</summary>
    public HashSet<string> Capabilities { get; private set; } = [];

    public bool Can(string capability) => Capabilities.Contains(capability);

    /// <summary>Reads the greeting; false where it is none of RFC 9051 §7.1: the session has ended.</summary>
    public async Task<bool> GreetAsync()
    {
        // Its place in the history, should it fail.
        Answer answer = Begin(new Command("GREETING") { Act = static _ => new Read("GREETING", null) });
        _under.Enqueue(answer);
        try
        {
            (Response response, long at) = await ReadAsync();
            TakeCapabilities(response);
            if (response.Name is not ("OK" or "BYE"))
                throw new FormatException("no greeting");
            answer.Complete(response with { Name = response.Name == "OK" ? "OK" : "NO" }, at);
            if (response.Name == "BYE")
            {
                // A refusal, not the end of a session.
                _bye = response.Text;
                Dispose();
            }
        }
        catch (Exception e) when (IsEnd(e))
        {
            EndBy(e);
        }
        if (_under.TryDequeue(out _))
            Record(answer);
        return !HasEnded;
    }

    public async Task<Answer> RunAsync(Command command) => (await PipelineAsync(command))[0];

    /// <summary>Sends commands in one piece; their answers. Where the connection has ended nothing is sent, and nothing goes into the history. The connection's synchronising literals are waited for, so a command with one comes alone.</summary>
    public async Task<IReadOnlyList<Answer>> PipelineAsync(params Command[] commands)
    {
        Answer[] answers = [.. commands.Select(Begin)];
        if (HasEnded)
            return answers;
        foreach (Answer answer in answers)
            _under.Enqueue(answer);
        try
        {
            await SendAsync(answers);
            while (_under.Count > 0)
                await StepAsync(CancellationToken.None);
        }
        catch (Exception e) when (IsEnd(e))
        {
            EndBy(e);
        }
        return answers;
    }

    /// <summary>Sends commands, and reads nothing until the client wants to: what a slow client does. Their answers are complete after the second call.</summary>
    public async Task<Func<Task>> SendOnlyAsync(params Command[] commands)
    {
        Answer[] answers = [.. commands.Select(Begin)];
        if (HasEnded)
            return static () => Task.CompletedTask;
        foreach (Answer answer in answers)
            _under.Enqueue(answer);
        await GuardAsync(() => SendAsync(answers));
        return () => GuardAsync(async () =>
        {
            while (_under.Count > 0)
                await StepAsync(CancellationToken.None);
        });
    }

    /// <summary>IDLE (RFC 2177) until <paramref name="done"/> fires.</summary>
    public async Task<Answer> IdleAsync(CancellationToken done)
    {
        Answer answer = Begin(new Command("IDLE") { Act = _ => new Read("IDLE", Model.Selected) });
        if (HasEnded)
            return answer;
        _under.Enqueue(answer);
        await GuardAsync(async () =>
        {
            await SendAsync([answer]);
            while (_under.Count > 0 && !(await StepAsync(CancellationToken.None)).IsContinuation)
            {
            }
            try
            {
                while (_under.Count > 0)
                    await StepAsync(done);
            }
            catch (OperationCanceledException) when (done.IsCancellationRequested)
            {
            }
            if (_under.Count > 0)
            {
                _transcript.Client("DONE");
                await _wire.WriteAsync("DONE\r\n"u8.ToArray(), CancellationToken.None);
            }
            while (_under.Count > 0)
                await StepAsync(CancellationToken.None);
        });
        return answer;
    }

    /// <summary>Reads what was said while no command was under way: only status responses and EXISTS and FETCH may be (RFC 9051 §7.5.1).</summary>
    public Task DrainAsync() => HasEnded || !_wire.HasInput ? Task.CompletedTask : GuardAsync(async () =>
    {
        Answer next = Begin(new Command("UNASKED") { Act = _ => new Read("UNASKED", Model.Selected) });
        while (_wire.HasInput)
        {
            (Response response, long at) = await ReadAsync();
            if (response.Name == "BYE")
                _bye = response.Code is { } code ? $"[{code.Name}] {response.Text}" : response.Text;
            else
            {
                Heard?.Invoke(response);
                Model.FeedUnasked(response, next, at);
            }
        }
        _unasked.AddRange(next.Seen);
    });

    /// <summary>LOGOUT, and the end.</summary>
    public async Task LeaveAsync()
    {
        _isLeaving = true;
        await RunAsync(new Command("LOGOUT") { Act = static _ => new Read("LOGOUT", null) });
        HasEnded = true;
        _wire.Dispose();
    }

    public void Dispose()
    {
        HasEnded = true;
        _wire.Dispose();
    }

    private Answer Begin(Command command)
    {
        var answer = new Answer(command, $"{(char)('A' + (_number % 26))}{++_lastTag}", _context.Recorder.NextNumber(), Stopwatch.GetTimestamp());
        if (command.SeeksAll && Model.View is { } view)
            (answer.Before, answer.UnknownGoneBefore) = (view.Members, view.UnknownGone);
        return answer;
    }

    private async Task SendAsync(Answer[] answers)
    {
        var pending = new MemoryStream();
        foreach (Answer answer in answers)
        {
            _transcript.Client($"{answer.Tag} {answer.Command}");
            pending.Write(Encoding.Latin1.GetBytes(answer.Tag + " "));
            foreach ((string text, byte[]? literal) in answer.Command.Parts)
            {
                if (literal is null)
                {
                    pending.Write(Encoding.Latin1.GetBytes(text));
                    continue;
                }
                bool waits = !Can("LITERAL+") && !(Can("LITERAL-") && literal.Length <= 4096);
                pending.Write(Encoding.Latin1.GetBytes(waits ? $"{{{literal.Length}}}\r\n" : $"{{{literal.Length}+}}\r\n"));
                if (waits)
                {
                    await FlushAsync(pending);
                    while (_under.Contains(answer) && !(await StepAsync(CancellationToken.None)).IsContinuation)
                    {
                    }
                    // Refused before the literal: the rest is not sent.
                    if (!_under.Contains(answer))
                        return;
                }
                pending.Write(literal);
            }
            pending.Write("\r\n"u8);
        }
        await FlushAsync(pending);
    }

    private async Task FlushAsync(MemoryStream pending)
    {
        using var silence = new CancellationTokenSource(_context.Silence);
        await _wire.WriteAsync(pending.ToArray(), silence.Token);
        pending.SetLength(0);
    }

    /// <summary>One response, given to the command that it belongs to.</summary>
    private async Task<Response> StepAsync(CancellationToken cancel)
    {
        (Response response, long at) = await ReadAsync(cancel);
        if (response.IsContinuation)
            return response;
        TakeCapabilities(response);
        Answer answer = AnsweredBy(response);
        if (response.Name == "BYE" && response.IsUntagged)
        {
            _bye = response.Code is { } code ? $"[{code.Name}] {response.Text}" : response.Text;
            return response;
        }
        if (response.IsTagged)
        {
            if (response.Tag != answer.Tag)
                throw new FormatException($"the tag {response.Tag}, where {answer.Tag} was to be answered");
            _under.Dequeue();
            answer.Complete(response, at);
        }
        else
        {
            answer.Untagged.Add((response, at));
            Heard?.Invoke(response);
        }
        Model.Feed(response, answer, at);
        if (response.IsTagged)
        {
            CheckRefusal(answer);
            answer.Command.Inspect?.Invoke(answer, Model);
            Record(answer);
        }
        return response;
    }

    // A server answers commands in turn, but some (Dovecot) finish several of a pipeline together: the results of searches then come before the first tagged line.
    private Answer AnsweredBy(Response response)
    {
        Answer oldest = _under.Peek();
        return response.Name is "SEARCH" or "ESEARCH"
            ? _under.FirstOrDefault(static a => !a.HasFound && a.Command.Name is ("SEARCH" or "UID SEARCH")) ?? oldest
            : oldest;
    }

    private async Task<(Response Response, long At)> ReadAsync(CancellationToken cancel = default)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        // An idling client is told something every two minutes at least, which is longer than it idles here.
        bound.CancelAfter(_context.Silence);
        ReplyLine line = await _wire.ReadAsync(bound.Token);
        long at = Stopwatch.GetTimestamp();
        _transcript.Server(line.Text);
        return (ResponseParser.Parse(line), at);
    }

    private void TakeCapabilities(Response response)
    {
        IReadOnlyList<Token>? list = response.Code is { Name: "CAPABILITY" } code ? code.Arguments : response is { Name: "CAPABILITY", IsUntagged: true } ? response.Arguments : null;
        if (list is not null)
            Capabilities = [.. list.Select(static c => (c.Text ?? "").ToUpperInvariant())];
    }

    private void CheckRefusal(Answer answer)
    {
        if (answer.Outcome == Outcome.Bad)
            Model.Breach(answer, answer.Completed, "bad", $"{answer.Command} was answered BAD {answer.Text}");
        else if (answer.Outcome == Outcome.No && !Refusals.IsExpected(answer.Command, answer.Code?.Name))
            Model.Breach(answer, answer.Completed, "refused", $"{answer.Command} was answered NO [{answer.Code?.Name}] {answer.Text}");
    }

    private void Record(Answer answer)
    {
        Command command = answer.Command;
        foreach (SeenBreach breach in answer.Seen.OfType<SeenBreach>())
            _transcript.Note($"{breach.Promise}: {breach.What}");
        List<Seen> seen = [.. _unasked, .. answer.Seen];
        _unasked.Clear();
        var operation = new Operation(answer.Number, _number, _account, answer.Invoked, answer.Completed, answer.Outcome, answer.Code?.Name,
            command.Act(answer), seen, command.ToString());
        _context.Recorder.Add(operation);
        _context.Completions.Add(_frontEnd, operation);
    }

    private async Task GuardAsync(Func<Task> talk)
    {
        try
        {
            await talk();
        }
        catch (Exception e) when (IsEnd(e))
        {
            EndBy(e);
        }
    }

    private static bool IsEnd(Exception e) => e is IOException or FormatException or OperationCanceledException or SocketException;

    private void EndBy(Exception e)
    {
        switch (e)
        {
            case FormatException:
                End(e.Message, "imap");
                break;
            case OperationCanceledException:
                End($"nothing came for {_context.Silence.TotalSeconds} s", "silence");
                break;
            default:
                End(e.Message, null);
                break;
        }
    }

    private void End(string why, string? breach)
    {
        HasEnded = true;
        _wire.Dispose();
        _transcript.Note(why);
        if (_isLeaving)
        {
            _under.Clear();
            return;
        }
        long at = Stopwatch.GetTimestamp();
        if (_under.Count == 0)
            _under.Enqueue(Begin(new Command("END") { Act = _ => new Read("END", Model.Selected) }));
        Answer first = _under.Peek();
        if (breach is not null)
            Model.Breach(first, at, breach, why);
        else
            first.Seen.Add(new SeenEnd(at, Model.Selected, _bye));
        while (_under.TryDequeue(out Answer? answer))
            Record(answer);
    }
}
