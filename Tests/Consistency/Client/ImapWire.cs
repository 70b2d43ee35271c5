using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MailCluster.Consistency.Client;

/// <summary>Octets of one connection, lines with literals in, anything out. One reader and one writer at a time.</summary>
internal sealed class ImapWire : IDisposable
{
    private const int LargestLiteral = 64 * 1024 * 1024;

    private readonly Socket _socket;
    private byte[] _buffer = new byte[16 * 1024];
    private int _start;
    private int _end;
    private readonly StringBuilder _text = new();
    private readonly List<byte[]> _literals = [];

    private ImapWire(Socket socket) => _socket = socket;

    /// <summary>Octets wait that were not read yet: something was said unasked.</summary>
    public bool HasInput => _start < _end || _socket.Available > 0;

    /// <exception cref="SocketException">Nobody answers there.</exception>
    public static async Task<ImapWire> ConnectAsync(EndPoint server, CancellationToken cancel)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server, cancel);
            return new ImapWire(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The next line with its literals. A cancelled call can be made again and loses nothing.</summary>
    /// <exception cref="IOException">The connection ended, or was reset.</exception>
    /// <exception cref="FormatException">A line without end, or a literal larger than anything that was stored.</exception>
    public async ValueTask<ReplyLine> ReadAsync(CancellationToken cancel)
    {
        while (true)
        {
            int end;
            int scanned = 0;
            while ((end = _buffer.AsSpan(_start + scanned, _end - _start - scanned).IndexOf((byte)'\n')) < 0)
            {
                scanned = _end - _start;
                await MoreAsync(cancel);
            }
            end += scanned;
            if (end > 0 && _buffer[_start + end - 1] == '\r')
            {
                ReadOnlySpan<byte> line = _buffer.AsSpan(_start, end - 1);
                long? literal = LiteralSize(line);
                if (literal > LargestLiteral)
                    throw new FormatException($"a literal of {literal} octets");
                if (literal is { } size)
                {
                    // The whole literal is waited for before anything is taken, so that a cancelled call leaves the buffer as it was.
                    while (_end - _start < end + 1 + size)
                        await MoreAsync(cancel);
                    _text.Append(Encoding.Latin1.GetString(_buffer, _start, end + 1));
                    _literals.Add(_buffer.AsSpan(_start + end + 1, (int)size).ToArray());
                    _start += end + 1 + (int)size;
                    continue;
                }
                _text.Append(Encoding.Latin1.GetString(line));
            }
            else
            {
                throw new FormatException("a line that ends in a bare LF");
            }
            _start += end + 1;
            var reply = new ReplyLine(_text.ToString(), [.. _literals]);
            _text.Clear();
            _literals.Clear();
            return reply;
        }
    }

    /// <exception cref="IOException">The connection was reset.</exception>
    public async Task WriteAsync(ReadOnlyMemory<byte> octets, CancellationToken cancel)
    {
        try
        {
            while (!octets.IsEmpty)
                octets = octets[await _socket.SendAsync(octets, cancel)..];
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException(e.Message, e);
        }
    }

    public void Dispose() => _socket.Dispose();

    private static long? LiteralSize(ReadOnlySpan<byte> line)
    {
        int open = line.LastIndexOf((byte)'{');
        return open >= 0 && line[^1] == '}' && Utf8Parser.TryParse(line[(open + 1)..], out long size, out int used) && open + 1 + used == line.Length - 1
            ? size
            : null;
    }

    private async ValueTask MoreAsync(CancellationToken cancel)
    {
        if (_end - _start > LargestLiteral + 64 * 1024)
            throw new FormatException("a line without end");
        if (_end == _buffer.Length)
        {
            byte[] room = _start > _buffer.Length / 2 ? _buffer : new byte[_buffer.Length * 2];
            _buffer.AsSpan(_start, _end - _start).CopyTo(room);
            (_buffer, _start, _end) = (room, 0, _end - _start);
        }
        try
        {
            int read = await _socket.ReceiveAsync(_buffer.AsMemory(_end), SocketFlags.None, cancel);
            if (read == 0)
                throw new IOException("the server ended the connection");
            _end += read;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException(e.Message, e);
        }
    }
}
