using System.Text;
using MailCluster.Contracts.Content;
using MimeKit;
using Xunit;

namespace MailCluster.Tests.Unit.Content;

/// <summary>Holds a parsed structure against the bytes it was made from, and against MimeKit's own object tree.</summary>
internal static class Compare
{
    public static ReadOnlySpan<byte> Body(byte[] message, BodyPart part) => message.AsSpan((int)part.BodyOffset, (int)part.BodyLength);

    public static ReadOnlySpan<byte> Header(byte[] message, BodyPart part) => message.AsSpan((int)part.HeaderOffset, (int)part.HeaderLength);

    public static int Lines(ReadOnlySpan<byte> body) => body.Count((byte)'\n') + (body.Length > 0 && body[^1] != '\n' ? 1 : 0);

    /// <summary>What holds for every message whatsoever.</summary>
    public static void Invariants(byte[] message, MessageContent content)
    {
        Assert.Equal(message.Length, content.Size);
        Assert.Equal(0, content.Root.HeaderOffset);
        Assert.Equal(message.Length, content.Root.BodyOffset + content.Root.BodyLength);
        Inside(message, content.Root, 0, message.Length);
    }

    private static void Inside(byte[] message, BodyPart part, long begin, long end)
    {
        Assert.True(part.HeaderOffset >= begin && part.HeaderLength >= 0 && part.BodyLength >= 0);
        Assert.Equal(part.HeaderOffset + part.HeaderLength, part.BodyOffset);
        Assert.True(part.BodyOffset + part.BodyLength <= end, $"part ends at {part.BodyOffset + part.BodyLength}, around it {end}");
        if (part.IsText || part.Kind == BodyPartKind.Message)
            Assert.Equal(Lines(Body(message, part)), part.Lines);
        var at = part.BodyOffset;
        foreach (var child in part.Parts)
        {
            Inside(message, child, at, part.BodyOffset + part.BodyLength);
            at = child.BodyOffset + child.BodyLength;
        }
    }

    public static void WithMimeKit(string name, byte[] message, MessageContent content)
    {
        MimeMessage loaded;
        try
        {
            loaded = MimeMessage.Load(new MemoryStream(message));
        }
        catch (FormatException)
        {
            // MimeKit refuses a message whose first line is no header; ours has a structure all the same.
            return;
        }
        Same(name, message, content.Root, loaded.Body);
    }

    private static void Same(string name, byte[] message, BodyPart part, MimeEntity? entity)
    {
        switch (entity)
        {
            case null:
                break;
            case Multipart multipart:
                Assert.True(part.Kind == BodyPartKind.Multipart, name);
                if (multipart.Count == 0)
                {
                    Assert.Equal(0, Assert.Single(part.Parts).BodyLength);
                    break;
                }
                Assert.True(multipart.Count == part.Parts.Count, $"{name}: {part.Parts.Count} parts, MimeKit has {multipart.Count}");
                for (var i = 0; i < multipart.Count; i++)
                    Same($"{name} {i + 1}", message, part.Parts[i], multipart[i]);
                break;
            case MessagePart embedded when part.Kind == BodyPartKind.Message:
                Same(name, message, part.Parts[0], embedded.Message?.Body);
                break;
            case MimePart leaf:
                var raw = new MemoryStream();
                leaf.Content?.WriteTo(raw);
                Assert.True(Body(message, part).SequenceEqual(raw.ToArray()), $"{name}: {Encoding.Latin1.GetString(Body(message, part))}\n---\n{Encoding.Latin1.GetString(raw.ToArray())}");
                break;
        }
        if (entity is not null && part.Kind != BodyPartKind.Leaf)
            Assert.Equal(entity.ContentType.MimeType, $"{part.Type}/{part.Subtype}", ignoreCase: true);
    }
}
