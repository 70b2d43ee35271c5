using System.Buffers;
using System.IO.Pipelines;
using System.Net;

namespace MailCluster.Net;

/// <summary>A PROXY protocol header (haproxy.org, proxy-protocol.txt, versions 1 and 2).</summary>
/// <param name="Source">The client; null: the connection is the proxy's own (LOCAL, UNKNOWN), and the socket's addresses hold.</param>
/// <param name="Destination">What the client connected to; null with <paramref name="Source"/>.</param>
/// <param name="Tls">The client speaks TLS with the proxy (version 2 alone can say so).</param>
internal sealed record ProxyHeader(IPEndPoint? Source, IPEndPoint? Destination, TlsFacts? Tls)
{
    /// <summary>A header for a connection of the proxy itself.</summary>
    public static readonly ProxyHeader None = new(null, null, null);

    private enum Parse
    {
        Done,
        More,
        Bad,
    }

    /// <summary>Takes the header from the front of the input; null when it is none, too long, or not there in time.</summary>
    public static async ValueTask<ProxyHeader?> ReadAsync(PipeReader input, InputTimeout timeout)
    {
        while (true)
        {
            var result = await input.ReadAsync().ConfigureAwait(false);
            var state = TryRead(result.Buffer, out var header, out var end);
            if (state == Parse.Done)
            {
                input.AdvanceTo(end);
                return header;
            }
            if (state == Parse.Bad || result.IsCompleted || (result.IsCanceled && timeout.Expired))
            {
                input.AdvanceTo(result.Buffer.Start);
                return null;
            }
            input.AdvanceTo(result.Buffer.Start, result.Buffer.End);
        }
    }

    private static Parse TryRead(ReadOnlySequence<byte> buffer, out ProxyHeader? header, out SequencePosition end)
    {
        header = null;
        end = default;
        Span<byte> start = stackalloc byte[ProxyV2.FixedLength];
        int have = (int)Math.Min(buffer.Length, start.Length);
        buffer.Slice(0, have).CopyTo(start);
        start = start[..have];
        if (ProxyV2.CanBe(start))
        {
            if (have < ProxyV2.FixedLength)
            {
                return Parse.More;
            }
            int length = ProxyV2.Length(start);
            if (length > ProxyV2.MaxLength)
            {
                return Parse.Bad;
            }
            if (buffer.Length < length)
            {
                return Parse.More;
            }
            header = ProxyV2.Read(buffer.Slice(0, length).ToArray());
            end = buffer.GetPosition(length);
            return header is null ? Parse.Bad : Parse.Done;
        }
        if (!ProxyV1.CanBe(start))
        {
            return Parse.Bad;
        }
        var line = buffer.Slice(0, Math.Min(buffer.Length, ProxyV1.MaxLength));
        if (line.PositionOf((byte)'\n') is not { } lf)
        {
            return line.Length < ProxyV1.MaxLength ? Parse.More : Parse.Bad;
        }
        end = buffer.GetPosition(1, lf);
        header = ProxyV1.Read(buffer.Slice(0, end).ToArray());
        return header is null ? Parse.Bad : Parse.Done;
    }
}
