namespace MailCluster.Storage.Content;

/// <summary>
/// Feeds the MIME reader: a made-up header first, then the message. It counts what it hands out, remembers whether a failure was the
/// source's, and ends the reading when one header field grows without bound, since the reader would keep that field in memory.
/// </summary>
internal sealed class BoundedHeaderStream(ReadOnlyMemory<byte> first, Stream source) : Stream
{
    /// <summary>Bytes of one header field, folded lines included. A list of 20,000 recipients fits.</summary>
    public const int MaxField = 1024 * 1024;

    /// <summary>
    /// Stands for each colon of a line that begins with "--". Otherwise the reader takes a boundary line with a colon for a header
    /// field where a part has no empty line after its header. No content is kept, so nobody sees the difference.
    /// </summary>
    public const byte ColonStandIn = (byte)';';

    private ReadOnlyMemory<byte> first = first;
    private int dashes;
    private long sinceField;
    private bool inHeader;

    /// <summary>Bytes of the message handed out so far.</summary>
    public long MessageBytes { get; private set; }

    /// <summary>True when the source failed or reading was cancelled: then there is no result, whereas any other failure is about MIME.</summary>
    public bool SourceFailed { get; private set; }

    public bool FieldTooLong { get; private set; }

    public void HeaderBegins()
    {
        inHeader = true;
        sinceField = 0;
    }

    public void FieldRead() => sinceField = 0;

    public void HeaderEnded() => inHeader = false;

    public override int Read(Span<byte> buffer)
    {
        if (TakeFirst(buffer) is var taken and > 0)
            return taken;
        CheckField();
        try
        {
            return Passed(buffer[..source.Read(buffer)]);
        }
        catch
        {
            SourceFailed = true;
            throw;
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (TakeFirst(buffer.Span) is var taken and > 0)
            return taken;
        CheckField();
        try
        {
            var read = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            return Passed(buffer.Span[..read]);
        }
        catch
        {
            SourceFailed = true;
            throw;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    private int TakeFirst(Span<byte> buffer)
    {
        var length = Math.Min(first.Length, buffer.Length);
        first.Span[..length].CopyTo(buffer);
        first = first[length..];
        return length;
    }

    private void CheckField()
    {
        if (!inHeader || sinceField <= MaxField)
            return;
        FieldTooLong = true;
        throw new InvalidDataException("A header field is too long.");
    }

    private int Passed(Span<byte> bytes)
    {
        MessageBytes += bytes.Length;
        sinceField += bytes.Length;
        HideColons(bytes);
        return bytes.Length;
    }

    /// <summary>A line may arrive in pieces: <see cref="dashes"/> counts those seen at its start, 2 is inside such a line, -1 inside any other.</summary>
    private void HideColons(Span<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (dashes is 0 or 1)
            {
                dashes = bytes[0] switch { (byte)'-' => dashes + 1, (byte)'\n' => 0, _ => -1 };
                bytes = bytes[1..];
                continue;
            }
            var end = bytes.IndexOf((byte)'\n');
            if (dashes == 2)
                (end < 0 ? bytes : bytes[..end]).Replace((byte)':', ColonStandIn);
            if (end < 0)
                return;
            dashes = 0;
            bytes = bytes[(end + 1)..];
        }
    }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
