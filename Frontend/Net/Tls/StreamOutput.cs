using System.Buffers;

namespace MailCluster.Net;

/// <summary>Output that goes through a stream: TLS, later compression.</summary>
internal sealed class StreamOutput(Stream stream) : ConnectionOutput
{
    public override async ValueTask FlushAsync(CancellationToken cancellationToken = default)
    {
        if (UnflushedBytes > 0)
        {
            var bytes = Take();
            try
            {
                await stream.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(bytes.Array!);
            }
        }
        await stream.FlushAsync(cancellationToken).ConfigureAwait(false);
    }
}
