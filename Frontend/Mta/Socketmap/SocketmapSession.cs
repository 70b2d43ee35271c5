using System.Buffers;
using System.Text;
using MailCluster.Net;

namespace MailCluster.Mta.Socketmap;

/// <summary>Netstrings in ("12:domains a.at,"), netstrings out ("5:OK x,").</summary>
internal sealed class SocketmapSession(IConnection connection, AddressMaps maps) : MtaSession(connection)
{
    /// <summary>Octets of a request: a map's name and an address.</summary>
    private const int MaxRequest = 4096;

    protected override async ValueTask<bool> StepAsync()
    {
        if (await ReadNetstringAsync() is not { } request)
            return false;
        int space = request.IndexOf(' ');
        string answer = space < 0
            ? "PERM A request is the name of a map, a space, and a key"
            : await maps.FindAsync(request[..space], request[(space + 1)..], Connection.Closed);
        Write($"{Encoding.UTF8.GetByteCount(answer)}:{answer},");
        return true;
    }

    /// <summary>Null where the connection is over, or what came is no netstring of UTF-8.</summary>
    private async ValueTask<string?> ReadNetstringAsync()
    {
        while (true)
        {
            InputBytes bytes = await Connection.ReadAsync(Timeout.InfiniteTimeSpan);
            if (bytes.Outcome != InputOutcome.Ok)
                return null;
            if (Parse(bytes.Buffer, out ReadOnlySequence<byte> content, out SequencePosition end) is not { } whole)
                return null;
            if (whole)
            {
                string? text = Decode(content);
                Connection.Input.AdvanceTo(end);
                return text;
            }
            Connection.Input.AdvanceTo(bytes.Buffer.Start, bytes.Buffer.End);
            if (bytes.IsLast)
                return null;
        }
    }

    /// <summary>True: a whole netstring; false: its beginning; null: none.</summary>
    private static bool? Parse(in ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> content, out SequencePosition end)
    {
        (content, end) = (default, buffer.Start);
        var reader = new SequenceReader<byte>(buffer);
        int length = 0, digits = 0;
        while (true)
        {
            if (!reader.TryRead(out byte b))
                return false;
            if (b == ':' && digits > 0)
                break;
            if (b is < (byte)'0' or > (byte)'9' || ++digits > 4)
                return null;
            length = length * 10 + (b - '0');
        }
        if (length > MaxRequest)
            return null;
        if (reader.Remaining < length + 1)
            return false;
        content = buffer.Slice(reader.Position, length);
        reader.Advance(length);
        reader.TryRead(out byte comma);
        end = reader.Position;
        return comma == ',' ? true : null;
    }
}
