using System.Buffers.Binary;
using System.IO.Compression;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;

namespace MailCluster.Benchmarks.Load;

/// <summary>
/// A client's connection that costs little: octets go out as they were prepared, and lines are looked at where they were received. One call at a time.
/// </summary>
internal abstract class Connection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private Stream? _tls;
    private DeflateStream? _inflating;
    private bool _blocking;
    private byte[] _buffer = new byte[4096];
    private int _start;
    private int _end;

    /// <summary>What was received and not yet taken.</summary>
    protected ReadOnlySpan<byte> Received => _buffer.AsSpan(_start, _end - _start);

    /// <summary>Connects; with TLS by a full handshake, nothing is resumed.</summary>
    /// <param name="blocking">
    /// The calling thread waits in the kernel, here and in all that follows: for a few clients that connect again and again this costs less than asynchronous sockets.
    /// </param>
    protected async ValueTask ConnectAsync(IPEndPoint server, bool tls, bool blocking = false)
    {
        _blocking = blocking;
        if (blocking)
            _socket.Connect(server);
        else
            await _socket.ConnectAsync(server);
        if (!tls)
            return;
        var stream = new SslStream(new NetworkStream(_socket));
        _tls = stream;
        var options = new SslClientAuthenticationOptions
        {
            TargetHost = "localhost",
            AllowTlsResume = false,
            RemoteCertificateValidationCallback = static (_, _, _, _) => true,
        };
        if (blocking)
            stream.AuthenticateAsClient(options);
        else
            await stream.AuthenticateAsClientAsync(options);
    }

    /// <summary>From here on both sides speak DEFLATE (RFC 4978); what this one sends is not made smaller.</summary>
    protected void Deflate() => _inflating = new DeflateStream(_tls ?? new NetworkStream(_socket), CompressionMode.Decompress);

    protected async ValueTask SendAsync(ReadOnlyMemory<byte> octets)
    {
        if (_inflating is not null)
            octets = Stored(octets.Span);
        if (_blocking)
        {
            if (_tls is not null)
                _tls.Write(octets.Span);
            else
                _socket.Send(octets.Span);
            return;
        }
        if (_tls is not null)
        {
            await _tls.WriteAsync(octets);
            return;
        }
        while (octets.Length > 0)
            octets = octets[await _socket.SendAsync(octets)..];
    }

    /// <summary>Octets are done with.</summary>
    protected void Take(int count) => _start += count;

    /// <summary>Receives more behind what is there.</summary>
    /// <exception cref="EndOfStreamException">The server has closed the connection.</exception>
    protected async ValueTask FillAsync()
    {
        if (_start == _end)
        {
            _start = _end = 0;
        }
        else if (_end == _buffer.Length)
        {
            if (_start == 0)
            {
                Array.Resize(ref _buffer, _buffer.Length * 2);
            }
            else
            {
                _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
                _end -= _start;
                _start = 0;
            }
        }
        int read = _blocking ? Read(_buffer.AsSpan(_end))
            : _inflating is not null ? await _inflating.ReadAsync(_buffer.AsMemory(_end))
            : _tls is null ? await _socket.ReceiveAsync(_buffer.AsMemory(_end)) : await _tls.ReadAsync(_buffer.AsMemory(_end));
        if (read == 0)
            throw new EndOfStreamException("The server closed the connection.");
        _end += read;
        // Much comes at once where whole mailboxes are fetched: fewer, larger reads.
        if (_end == _buffer.Length && _buffer.Length < 256 * 1024)
            Array.Resize(ref _buffer, _buffer.Length * 4);
    }

    /// <summary>Waits until a whole line is there; its length with the line end. It stays until it is taken.</summary>
    protected async ValueTask<int> LineAsync()
    {
        int looked = 0;
        while (true)
        {
            int end = Received[looked..].IndexOf((byte)'\n');
            if (end >= 0)
                return looked + end + 1;
            looked = Received.Length;
            await FillAsync();
        }
    }

    private int Read(Span<byte> buffer) => _tls is null ? _socket.Receive(buffer) : _tls.Read(buffer);

    // A block that is stored as it is (RFC 1951 §3.2.4), and not the last.
    private static byte[] Stored(ReadOnlySpan<byte> octets)
    {
        byte[] block = new byte[5 + octets.Length];
        BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(1), checked((ushort)octets.Length));
        BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(3), (ushort)~octets.Length);
        octets.CopyTo(block.AsSpan(5));
        return block;
    }

    protected static string Text(ReadOnlySpan<byte> line) => Encoding.Latin1.GetString(line).TrimEnd();

    public void Dispose()
    {
        _inflating?.Dispose();
        _tls?.Dispose();
        _socket.Dispose();
    }
}
