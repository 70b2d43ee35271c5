using System.Buffers;
using DotNetty.Buffers;

namespace MailCluster.Net;

/// <summary>An array from <see cref="ArrayPool{T}.Shared"/> on its way out; goes back there when DotNetty has sent, or dropped, it.</summary>
internal sealed class RentedByteBuffer : UnpooledHeapByteBuffer
{
    public RentedByteBuffer(ArraySegment<byte> bytes) : base(UnpooledByteBufferAllocator.Default, bytes.Array!, bytes.Array!.Length) =>
        SetWriterIndex(bytes.Count);

    protected override void FreeArray(byte[] bytes) => ArrayPool<byte>.Shared.Return(bytes);
}
