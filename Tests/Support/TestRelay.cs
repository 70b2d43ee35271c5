using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MailCluster.Tests.Support;

/// <summary>
/// A mail server that takes mail from a relay's client and does at each stage what a test says: answers, keeps silent, or hangs up. Stages: "connect", "EHLO", "MAIL", "RCPT",
/// "DATA", "body" (after the final dot, before the answer), "QUIT".
/// </summary>
public sealed class TestRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<string>> _faults = new();
    private readonly SemaphoreSlim _arrived = new(0);
    private readonly Task _serving;

    public TestRelay()
    {
        _listener.Start();
        _serving = ServeAsync();
    }

    /// <summary>Hangs up, in place of an answer.</summary>
    public const string HangUp = "(hang up)";

    /// <summary>Takes the message, and hangs up in place of saying so.</summary>
    public const string TakeAndHangUp = "(take, hang up)";

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>What was accepted.</summary>
    public ConcurrentQueue<RelayedMail> Mail { get; } = new();

    public int Connections { get; private set; }

    /// <summary>The next time that a stage is reached this is said ("451 4.3.0 later"), or <see cref="HangUp"/>, <see cref="TakeAndHangUp"/> is done.</summary>
    public void Next(string stage, params string[] faults)
    {
        foreach (string fault in faults)
            _faults.GetOrAdd(stage, static _ => new()).Enqueue(fault);
    }

    /// <summary>Waits until one more message was accepted.</summary>
    public async Task<RelayedMail> ArrivedAsync()
    {
        if (!await _arrived.WaitAsync(TimeSpan.FromMinutes(2)))
            throw new TimeoutException("No message came to the relay.");
        return Mail.Last();
    }

    public async ValueTask DisposeAsync()
    {
        if (_serving.IsCompleted)
            return;
        await _end.CancelAsync();
        _listener.Stop();
        await _serving;
        _end.Dispose();
        _arrived.Dispose();
    }

    private async Task ServeAsync()
    {
        var sessions = new List<Task>();
        try
        {
            while (true)
            {
                TcpClient client = await _listener.AcceptTcpClientAsync(_end.Token);
                Connections++;
                sessions.Add(TalkAsync(client));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(sessions);
        }
    }

    private async Task TalkAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                using var reader = new StreamReader(stream, Encoding.Latin1);
                var envelope = new RelayedMail("", [], "");
                if (!await SayAsync(stream, "connect", "220 relay.test ESMTP"))
                    return;
                while (await reader.ReadLineAsync(_end.Token) is { } line)
                {
                    string verb = line.Split(' ', ':')[0].ToUpperInvariant();
                    switch (verb)
                    {
                        case "EHLO":
                            if (!await SayAsync(stream, verb, "250-relay.test\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 100000000"))
                                return;
                            break;
                        case "MAIL":
                            envelope = new RelayedMail(Path(line), [], "");
                            if (!await SayAsync(stream, verb, "250 2.1.0 ok"))
                                return;
                            break;
                        case "RCPT":
                            envelope.Recipients.Add(Path(line));
                            if (!await SayAsync(stream, verb, "250 2.1.5 ok"))
                                return;
                            break;
                        case "DATA":
                            if (_faults.TryGetValue("DATA", out ConcurrentQueue<string>? refused) && refused.TryDequeue(out string? answer))
                            {
                                if (answer == HangUp)
                                    return;
                                await WriteAsync(stream, answer);
                                break;
                            }
                            await WriteAsync(stream, "354 go ahead");
                            var text = new StringBuilder();
                            while (await reader.ReadLineAsync(_end.Token) is { } content)
                            {
                                if (content == ".")
                                    break;
                                text.Append(content.StartsWith('.') ? content[1..] : content).Append("\r\n");
                            }
                            if (_faults.TryGetValue("body", out ConcurrentQueue<string>? faults) && faults.TryDequeue(out string? fault))
                            {
                                if (fault == TakeAndHangUp)
                                    Take(envelope with { Text = text.ToString() });
                                if (fault is HangUp or TakeAndHangUp)
                                    return;
                                await WriteAsync(stream, fault);
                                break;
                            }
                            Take(envelope with { Text = text.ToString() });
                            await WriteAsync(stream, "250 2.0.0 queued");
                            break;
                        case "QUIT":
                            await SayAsync(stream, verb, "221 2.0.0 bye");
                            return;
                        default:
                            await WriteAsync(stream, "250 2.0.0 ok");
                            break;
                    }
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException)
            {
                // The client went, or the test is over.
            }
        }
    }

    private void Take(RelayedMail mail)
    {
        Mail.Enqueue(mail);
        _arrived.Release();
    }

    /// <summary>False: hang up.</summary>
    private async Task<bool> SayAsync(NetworkStream stream, string stage, string usual)
    {
        string said = _faults.TryGetValue(stage, out ConcurrentQueue<string>? faults) && faults.TryDequeue(out string? fault) ? fault : usual;
        if (said == HangUp)
            return false;
        await WriteAsync(stream, said);
        return true;
    }

    private static Task WriteAsync(NetworkStream stream, string line) => stream.WriteAsync(Encoding.Latin1.GetBytes(line + "\r\n")).AsTask();

    private static string Path(string line) => line[(line.IndexOf('<') + 1)..line.IndexOf('>')];
}

/// <summary>A message as it came to the relay, lines ended by CRLF.</summary>
public sealed record RelayedMail(string Sender, List<string> Recipients, string Text);
