using System.Buffers;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>ENVELOPE, BODY or BODYSTRUCTURE of some emails, as their answers have them. Immutable, as the emails are.</summary>
/// <param name="emails">In their order.</param>
/// <param name="octets">Of all of them.</param>
/// <param name="ends">Where each one's end. One that takes nothing was expunged and collected.</param>
internal sealed class WrittenItem(long[] emails, byte[] octets, int[] ends)
{
    /// <summary>Octets that it takes.</summary>
    public long Octets => octets.Length + (emails.Length * (sizeof(long) + sizeof(int))) + 64;

    /// <summary>Nothing is missing.</summary>
    public bool IsWhole
    {
        get
        {
            for (int i = 0; i < ends.Length; i++)
            {
                if (this[i].IsEmpty)
                    return false;
            }
            return true;
        }
    }

    public ReadOnlySpan<byte> this[int place]
    {
        get
        {
            int start = place == 0 ? 0 : ends[place - 1];
            return octets.AsSpan(start, ends[place] - start);
        }
    }

    public bool IsOf(ReadOnlySpan<long> others) => emails.AsSpan().SequenceEqual(others);

    /// <param name="content">In the order of <paramref name="emails"/>; null for what is gone.</param>
    /// <param name="written">Where it is put together; nothing of it is needed afterwards.</param>
    /// <exception cref="MalformedContentException">What is stored is damaged.</exception>
    public static WrittenItem Of(FetchItem item, WireCharset charset, long[] emails, IReadOnlyList<StoredEmail?> content, ArrayBufferWriter<byte> written)
    {
        written.ResetWrittenCount();
        var reply = new ReplyWriter(written, charset);
        int[] ends = new int[emails.Length];
        for (int i = 0; i < ends.Length; i++)
        {
            if (content[i]?.Content is { } known)
                Write(reply, item, known);
            ends[i] = written.WrittenCount;
        }
        return new WrittenItem(emails, written.WrittenSpan.ToArray(), ends);
    }

    /// <summary>Writes one of them.</summary>
    public static void Write(ReplyWriter reply, FetchItem item, MessageContent content) => _ = item switch
    {
        FetchItem.Envelope => reply.Envelope(content.Envelope),
        FetchItem.Body => reply.Body(content.Root),
        _ => reply.BodyStructure(content.Root),
    };
}

/// <summary>The written items of the messages of a batch.</summary>
/// <param name="items">In the order in which they were asked for.</param>
/// <param name="places">Where each message of the batch stands in them; null: in order.</param>
internal readonly struct WrittenBatch(WrittenItem[] items, int[]? places)
{
    public ReadOnlySpan<byte> this[int item, int message] => items[item][places is null ? message : places[message]];
}
