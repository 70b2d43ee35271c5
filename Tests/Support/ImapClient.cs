using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using System.Text.RegularExpressions;

namespace MailCluster.Tests.Support;

/// <summary>
/// One IMAP connection as a story tells it: what the client sends, and what it expects, line by line. Text is bytes in Latin-1 form, so that
/// nothing is lost; text with characters above U+00FF is sent, and expected, in UTF-8. In what is expected, "…" stands for any text.
/// </summary>
public sealed class ImapClient : IAsyncDisposable
{
    // Only against a hang.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TcpClient _tcp;
    private readonly StringBuilder _transcript = new();
    private readonly byte[] _buffer = new byte[16 * 1024];
    private Stream _stream;
    private int _at;
    private int _end;

    private ImapClient(TcpClient tcp)
    {
        _tcp = tcp;
        _stream = tcp.GetStream();
    }

    /// <summary>All lines of both sides so far.</summary>
    public string Transcript => _transcript.ToString();

    /// <summary>Connects and reads the greeting.</summary>
    public static async Task<ImapClient> ConnectAsync(IPEndPoint server)
    {
        ImapClient client = await ConnectSilentlyAsync(server);
        await client.Expect("* OK …");
        return client;
    }

    /// <summary>Connects to a POP3 door and reads the greeting; answers are read by <see cref="Expect"/>.</summary>
    public static async Task<ImapClient> ConnectPop3Async(IPEndPoint server)
    {
        ImapClient client = await ConnectSilentlyAsync(server);
        await client.Expect("+OK …");
        return client;
    }

    /// <summary>Connects to a POP3 door and logs in.</summary>
    public static async Task<ImapClient> Pop3Async(IPEndPoint server, string user, string password)
    {
        ImapClient client = await ConnectPop3Async(server);
        await client.Send($"USER {user}", $"PASS {password}");
        await client.Expect("+OK …", "+OK …");
        return client;
    }

    /// <summary>Sends one POP3 command and expects its answer, line by line.</summary>
    public async Task Pop3(string command, params string[] lines)
    {
        await Send(command);
        await Expect(lines);
    }

    /// <summary>Sends one POP3 command and reads its multi-line answer: the lines between +OK and the dot, as they came.</summary>
    public async Task<IReadOnlyList<string>> Pop3Lines(string command)
    {
        await Send(command);
        await Expect("+OK …");
        var lines = new List<string>();
        for (string line = await Line(); line != "."; line = await Line())
            lines.Add(line);
        return lines;
    }

    /// <summary>Connects; the greeting is still to be read.</summary>
    /// <param name="from">The address to come from; null: any.</param>
    public static async Task<ImapClient> ConnectSilentlyAsync(IPEndPoint server, IPEndPoint? from = null)
    {
        TcpClient tcp = from is null ? new TcpClient() : new TcpClient(from);
        tcp.NoDelay = true;
        await tcp.ConnectAsync(server);
        return new ImapClient(tcp);
    }

    /// <summary>Connects and logs in.</summary>
    public static async Task<ImapClient> LoggedInAsync(IPEndPoint server, string user, string password)
    {
        ImapClient client = await ConnectAsync(server);
        await client.Run($"login LOGIN {user} \"{password}\"");
        return client;
    }

    /// <summary>Sends lines, each with its CRLF, in one piece.</summary>
    public Task Send(params string[] lines) => SendRaw(string.Concat(lines.Select(static l => l + "\r\n")));

    /// <summary>Sends text without adding anything.</summary>
    public async Task SendRaw(string text)
    {
        Note("C: " + text.ReplaceLineEndings("↵"));
        byte[] bytes = Bytes(text);
        await _stream.WriteAsync(bytes);
        await _stream.FlushAsync();
    }

    public async Task SendBytes(byte[] bytes)
    {
        Note($"C: {bytes.Length} bytes");
        await _stream.WriteAsync(bytes);
        await _stream.FlushAsync();
    }

    /// <summary>The next lines are exactly these.</summary>
    public async Task Expect(params string[] lines)
    {
        foreach (string line in lines)
        {
            string got = await Line();
            if (!Matches(got, line))
                Fail($"expected: {line}\n     got: {got}");
        }
    }

    /// <summary>The next line is this one, or it comes after <paramref name="maybe"/>: news that may be told by itself, or together with what came after it.</summary>
    public async Task ExpectAfter(string maybe, string line)
    {
        string got = await Line();
        if (Matches(got, maybe))
            got = await Line();
        if (!Matches(got, line))
            Fail($"expected: {line}\n     got: {got}");
    }

    /// <summary>The tagged OK, and the untagged lines before it.</summary>
    public Task<IReadOnlyList<string>> Ok(string tag, string rest = "…") => Tagged(tag, "OK " + rest);

    /// <summary>The tagged NO; <paramref name="rest"/> usually begins with its code.</summary>
    public Task<IReadOnlyList<string>> No(string tag, string rest = "…") => Tagged(tag, "NO " + rest);

    public Task<IReadOnlyList<string>> Bad(string tag, string rest = "…") => Tagged(tag, "BAD " + rest);

    /// <summary>The tagged line, whatever it says, and the untagged lines before it.</summary>
    public async Task<(string Tagged, IReadOnlyList<string> Untagged)> Answer(string tag)
    {
        var untagged = new List<string>();
        string line = await Line();
        for (; !line.StartsWith(tag + " ", StringComparison.Ordinal); line = await Line())
            untagged.Add(line);
        return (line, untagged);
    }

    /// <summary>Sends one command and waits for its OK; the untagged lines before it.</summary>
    public async Task<IReadOnlyList<string>> Run(string command)
    {
        await Send(command);
        return await Ok(command[..command.IndexOf(' ')]);
    }

    /// <summary>APPEND of a message as a non-synchronising literal; the untagged lines before its OK.</summary>
    public async Task<IReadOnlyList<string>> Append(string tag, string mailbox, string message, string flags = "")
    {
        string space = flags.Length > 0 ? " " : "";
        await SendRaw($"{tag} APPEND {mailbox}{space}{flags} {{{Bytes(message).Length}+}}\r\n{message}\r\n");
        return await Ok(tag, "[APPENDUID …] …");
    }

    /// <summary>The next line with the literals in it (their line ends as they are), without its own CRLF.</summary>
    public async Task<string> Line()
    {
        var line = new StringBuilder();
        while (true)
        {
            int start = line.Length;
            for (int b = await Byte(); b != '\n'; b = await Byte())
                line.Append((char)b);
            if (line.Length > start && line[^1] == '\r')
                line.Length--;
            if (line.Length == start || line[^1] != '}')
                break;
            Match literal = Regex.Match(line.ToString(start, line.Length - start), @"\{(\d+)\}$");
            if (!literal.Success)
                break;
            line.Append("\r\n");
            for (long left = long.Parse(literal.Groups[1].Value); left > 0; left--)
                line.Append((char)await Byte());
        }
        Note("S: " + line);
        return line.ToString();
    }

    /// <summary>The server has closed, after having said all that was expected.</summary>
    public async Task Closed()
    {
        try
        {
            if (_at == _end && await _stream.ReadAsync(_buffer).AsTask().WaitAsync(Patience) == 0)
                return;
        }
        catch (IOException)
        {
            return;
        }
        Fail("expected the end of the connection");
    }

    /// <summary>Begins TLS; any certificate will do.</summary>
    public async Task StartTls()
    {
        var tls = new SslStream(_stream);
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "mail.test",
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
        });
        _stream = tls;
    }

    /// <summary>Goes on under DEFLATE (RFC 4978).</summary>
    public void StartDeflate() => _stream = new CompressedStream(_stream);

    /// <summary>Sends lines, or octets, as they are, though <see cref="StartDeflate"/> was called.</summary>
    public Task SendUncompressed(params string[] lines)
    {
        Note("C: " + string.Join('↵', lines));
        return SendUncompressed(Bytes(string.Concat(lines.Select(static l => l + "\r\n"))));
    }

    public Task SendUncompressed(byte[] bytes) => ((CompressedStream)_stream).Below.WriteAsync(bytes).AsTask();

    /// <summary>Both sides have ended DEFLATE: the server behind the line that was read last.</summary>
    public async Task EndDeflate()
    {
        var compressed = (CompressedStream)_stream;
        if (_at < _end)
            Fail("more is compressed");
        ReadOnlyMemory<byte> rest = await compressed.EndAsync();
        rest.CopyTo(_buffer);
        (_at, _end, _stream) = (0, rest.Length, compressed.Below);
    }

    public async ValueTask DisposeAsync()
    {
        await _stream.DisposeAsync();
        _tcp.Dispose();
    }

    private async Task<IReadOnlyList<string>> Tagged(string tag, string expected)
    {
        var untagged = new List<string>();
        string line = await Line();
        for (; line.StartsWith("* ", StringComparison.Ordinal) || line.StartsWith("+ ", StringComparison.Ordinal); line = await Line())
            untagged.Add(line);
        if (!Matches(line, $"{tag} {expected}"))
            Fail($"expected: {tag} {expected}\n     got: {line}");
        return untagged;
    }

    private async ValueTask<int> Byte()
    {
        if (_at == _end)
        {
            try
            {
                (_at, _end) = (0, await _stream.ReadAsync(_buffer).AsTask().WaitAsync(Patience));
            }
            catch (TimeoutException)
            {
                Fail("nothing came");
            }
            if (_end == 0)
                Fail("the connection ended");
        }
        return _buffer[_at++];
    }

    private static bool Matches(string line, string expected)
    {
        string[] parts = [.. expected.Split('…').Select(static part => Encoding.Latin1.GetString(Bytes(part)))];
        if (parts.Length == 1)
            return line == parts[0];
        int at = parts[0].Length, end = line.Length - parts[^1].Length;
        if (end < at || !line.StartsWith(parts[0], StringComparison.Ordinal) || !line.EndsWith(parts[^1], StringComparison.Ordinal))
            return false;
        foreach (string part in parts[1..^1])
        {
            int found = line.IndexOf(part, at, end - at, StringComparison.Ordinal);
            if (found < 0)
                return false;
            at = found + part.Length;
        }
        return true;
    }

    private static byte[] Bytes(string text) => text.Any(static c => c > 0xFF) ? Encoding.UTF8.GetBytes(text) : Encoding.Latin1.GetBytes(text);

    private void Note(string line)
    {
        lock (_transcript)
            _transcript.AppendLine(line.Length > 500 ? line[..500] + "…" : line);
    }

    [System.Diagnostics.CodeAnalysis.DoesNotReturn]
    private void Fail(string why) => throw new UnexpectedReplyException($"{why}\n{Transcript}");
}

/// <summary>A server said something else than a test expected; the message has the whole conversation.</summary>
public sealed class UnexpectedReplyException(string message) : Exception(message);
