using System.Buffers;

namespace MailCluster.Contracts.Content;

/// <summary>
/// Writes the stored form: format byte, then as varints the size of the body and the lengths of the three sections, then the sections
/// envelope, headers, structure. A text is a varint 0 (absent) or length + 1, then its bytes.
/// </summary>
internal static class ContentEncoder
{
    public const byte Format = 1;

    public static byte[] Encode(MessageContent content)
    {
        var envelope = new ArrayBufferWriter<byte>(256);
        Write(envelope, content.Envelope);

        var headers = new ArrayBufferWriter<byte>(1024);
        WriteNumber(headers, content.HeadersTruncated ? 1 : 0);
        WriteNumber(headers, content.Headers.Count);
        foreach (var header in content.Headers)
        {
            Write(headers, header.Name);
            Write(headers, header.Value);
        }

        var structure = new ArrayBufferWriter<byte>(256);
        Write(structure, content.Root);

        var output = new ArrayBufferWriter<byte>(32 + envelope.WrittenCount + headers.WrittenCount + structure.WrittenCount);
        output.Write([Format]);
        WriteNumber(output, content.Size);
        WriteNumber(output, envelope.WrittenCount);
        WriteNumber(output, headers.WrittenCount);
        WriteNumber(output, structure.WrittenCount);
        output.Write(envelope.WrittenSpan);
        output.Write(headers.WrittenSpan);
        output.Write(structure.WrittenSpan);
        return output.WrittenSpan.ToArray();
    }

    private static void Write(ArrayBufferWriter<byte> output, EnvelopeData envelope)
    {
        Write(output, envelope.Date);
        Write(output, envelope.Subject);
        Write(output, envelope.From);
        Write(output, envelope.Sender);
        Write(output, envelope.ReplyTo);
        Write(output, envelope.To);
        Write(output, envelope.Cc);
        Write(output, envelope.Bcc);
        Write(output, envelope.InReplyTo);
        Write(output, envelope.MessageId);
    }

    private static void Write(ArrayBufferWriter<byte> output, IReadOnlyList<EnvelopeAddress> addresses)
    {
        WriteNumber(output, addresses.Count);
        foreach (var address in addresses)
        {
            Write(output, address.Name);
            Write(output, address.Route);
            Write(output, address.Mailbox);
            Write(output, address.Host);
        }
    }

    private static void Write(ArrayBufferWriter<byte> output, BodyPart part)
    {
        WriteNumber(output, (long)part.Kind);
        WriteNumber(output, part.HeaderOffset);
        WriteNumber(output, part.HeaderLength);
        WriteNumber(output, part.BodyOffset);
        WriteNumber(output, part.BodyLength);
        WriteNumber(output, part.Lines);
        Write(output, part.Type);
        Write(output, part.Subtype);
        Write(output, part.Parameters);
        Write(output, part.Id);
        Write(output, part.Description);
        Write(output, part.Encoding);
        Write(output, part.Md5);
        Write(output, part.Disposition);
        Write(output, part.DispositionParameters);
        WriteNumber(output, part.Languages.Count);
        foreach (var language in part.Languages)
            Write(output, language);
        Write(output, part.Location);
        if (part.Kind == BodyPartKind.Message)
            Write(output, part.Envelope ?? EnvelopeData.None);
        WriteNumber(output, part.Parts.Count);
        foreach (var child in part.Parts)
            Write(output, child);
    }

    private static void Write(ArrayBufferWriter<byte> output, IReadOnlyList<BodyParameter> parameters)
    {
        WriteNumber(output, parameters.Count);
        foreach (var parameter in parameters)
        {
            Write(output, parameter.Name);
            Write(output, parameter.Value);
        }
    }

    private static void Write(ArrayBufferWriter<byte> output, RawText text)
    {
        WriteNumber(output, text.IsAbsent ? 0 : text.Length + 1L);
        output.Write(text.Span);
    }

    /// <summary>Seven bits a byte, least significant first, high bit set on all but the last.</summary>
    private static void WriteNumber(ArrayBufferWriter<byte> output, long value)
    {
        var rest = checked((ulong)value);
        var span = output.GetSpan(10);
        var length = 0;
        while (rest >= 0x80)
        {
            span[length++] = (byte)(rest | 0x80);
            rest >>= 7;
        }
        span[length++] = (byte)rest;
        output.Advance(length);
    }
}
