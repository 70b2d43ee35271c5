using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MailCluster.Benchmarks;

/// <summary>A light IMAP client: it writes bytes and reads until the tagged answer, and keeps nothing.</summary>
internal sealed class ImapLoad : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[256 * 1024];
    private int _start;
    private int _end;
    private int _tag;

    public static async Task<ImapLoad> LoggedInAsync(IPEndPoint server, string user, string password)
    {
        var client = new ImapLoad();
        await client._socket.ConnectAsync(server);
        await client.LineAsync();
        await client.RunAsync($"LOGIN {user} \"{password}\"");
        return client;
    }

    /// <summary>Runs a command; throws where the answer is not OK.</summary>
    public async Task RunAsync(string command) => await SendAsync(Encoding.ASCII.GetBytes($"a{++_tag} {command}\r\n"), null, 0);

    /// <summary>APPEND of a non-synchronising literal that is sent <paramref name="times"/> times over.</summary>
    public async Task AppendAsync(string mailbox, ReadOnlyMemory<byte> message, int times = 1) =>
        await SendAsync(Encoding.ASCII.GetBytes($"a{++_tag} APPEND {mailbox} {{{(long)message.Length * times}+}}\r\n"), message, times);

    /// <summary>FETCH of one literal; returns its size.</summary>
    public async Task<long> FetchAsync(string uid, string item)
    {
        string tag = $"a{++_tag}";
        await _socket.SendAsync(Encoding.ASCII.GetBytes($"{tag} UID FETCH {uid} {item}\r\n"));
        string line = await LineAsync();
        int brace = line.LastIndexOf('{');
        if (brace < 0)
            throw new InvalidOperationException(line);
        long size = long.Parse(line[(brace + 1)..^1]);
        await SkipAsync(size);
        while (!(line = await LineAsync()).StartsWith(tag + " ", StringComparison.Ordinal))
        {
        }
        return line.StartsWith(tag + " OK", StringComparison.Ordinal) ? size : throw new InvalidOperationException(line);
    }

    public void Dispose() => _socket.Dispose();

    private async Task SendAsync(byte[] command, ReadOnlyMemory<byte>? literal, int times)
    {
        string tag = $"a{_tag} ";
        if (literal is { } bytes)
        {
            // Small ones in one packet, as a good client sends them.
            if (times == 1 && bytes.Length < 64 * 1024)
            {
                await _socket.SendAsync((byte[])[.. command, .. bytes.Span, .. "\r\n"u8]);
            }
            else
            {
                await _socket.SendAsync(command);
                for (int i = 0; i < times; i++)
                {
                    for (int sent = 0; sent < bytes.Length;)
                        sent += await _socket.SendAsync(bytes[sent..]);
                }
                await _socket.SendAsync("\r\n"u8.ToArray());
            }
        }
        else
        {
            await _socket.SendAsync(command);
        }
        string line;
        while (!(line = await LineAsync()).StartsWith(tag, StringComparison.Ordinal))
        {
        }
        if (!line.StartsWith(tag + "OK", StringComparison.Ordinal))
            throw new InvalidOperationException(line);
    }

    private async ValueTask<string> LineAsync()
    {
        int looked = 0;
        while (true)
        {
            int end = _buffer.AsSpan(_start + looked, _end - _start - looked).IndexOf((byte)'\n');
            if (end >= 0)
            {
                end += looked;
                string line = Encoding.Latin1.GetString(_buffer, _start, end).TrimEnd('\r');
                _start += end + 1;
                return line;
            }
            looked = _end - _start;
            await FillAsync();
        }
    }

    private async Task SkipAsync(long count)
    {
        while (true)
        {
            int here = (int)Math.Min(count, _end - _start);
            _start += here;
            count -= here;
            if (count == 0)
                return;
            await FillAsync();
        }
    }

    private async Task FillAsync()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }
        int read = await _socket.ReceiveAsync(_buffer.AsMemory(_end));
        if (read == 0)
            throw new EndOfStreamException("The server closed the connection.");
        _end += read;
    }
}
