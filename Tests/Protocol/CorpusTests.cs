using System.Net;
using System.Text;
using MailCluster.Tests.Support;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Search;
using MailKit.Security;
using MimeKit;
using Xunit;
using ImapClient = MailCluster.Tests.Support.ImapClient;

namespace MailCluster.Tests.Protocol;

/// <summary>Real messages, uploaded and read again.</summary>
public sealed class CorpusTests(MailServer server)
{
    [Fact]
    public async Task Every_message_comes_back_byte_for_byte_and_every_part_is_what_MimeKit_says()
    {
        Assert.SkipWhen(Corpus.Folder is null, Corpus.Absent);
        string user = await server.AccountAsync();
        await using ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password);
        await UploadAsync(c);
        await c.Run("s SELECT INBOX");
        int number = 0;
        foreach (string file in Corpus.Files)
        {
            number++;
            byte[] message = Corpus.Read(file);
            await c.Send($"a FETCH {number} (RFC822.SIZE BODY.PEEK[])");
            string expected = $"* {number} FETCH (RFC822.SIZE {message.Length} BODY[] {Literal(message)})";
            Assert.True(expected == await c.Line(), file);
            await c.Ok("a");

            (string Number, byte[] Bytes)[] parts = [.. Parts(message)];
            if (parts.Length == 0)
                continue;
            await c.Send($"b FETCH {number} ({string.Join(' ', parts.Select(static p => $"BODY.PEEK[{p.Number}]"))})");
            Assert.Equal($"* {number} FETCH ({string.Join(' ', parts.Select(static p => $"BODY[{p.Number}] {Literal(p.Bytes)}"))})", await c.Line());
            await c.Ok("b");
        }
    }

    [Fact]
    public async Task A_client_library_understands_every_envelope_and_structure_and_finds_messages()
    {
        Assert.SkipWhen(Corpus.Folder is null, Corpus.Absent);
        CancellationToken stop = TestContext.Current.CancellationToken;
        string user = await server.AccountAsync();
        await using (ImapClient c = await ImapClient.LoggedInAsync(server.Imap, user, MailServer.Password))
            await UploadAsync(c);
        using var client = new MailKit.Net.Imap.ImapClient();
        await client.ConnectAsync(IPAddress.Loopback.ToString(), server.Imap.Port, SecureSocketOptions.None, stop);
        await client.AuthenticateAsync(user, MailServer.Password, stop);
        IMailFolder inbox = client.Inbox!;
        await inbox.OpenAsync(FolderAccess.ReadOnly, stop);
        IList<IMessageSummary> all = await inbox.FetchAsync(
            0, -1, MessageSummaryItems.All | MessageSummaryItems.BodyStructure | MessageSummaryItems.UniqueId | MessageSummaryItems.Headers, stop);
        Assert.Equal(Corpus.Files.Count, all.Count);
        Assert.All(all, static summary => Assert.NotNull(summary.Body));
        Assert.All(all, static summary => Assert.NotNull(summary.Envelope));
        foreach (IMessageSummary summary in all)
        {
            foreach (BodyPartBasic part in summary.BodyParts)
                Assert.NotNull(await inbox.GetBodyPartAsync(summary.UniqueId, part, stop));
        }

        // Everything has a header, so that NOT nothing is all, and each message is found by its own bytes.
        Assert.Equal(all.Count, (await inbox.SearchAsync(SearchQuery.Not(SearchQuery.MessageContains("no such text 3f1c")), stop)).Count);
        foreach (IMessageSummary summary in all.Where(static s => s.Envelope?.MessageId is { Length: > 6 }).Take(10))
            Assert.Contains(summary.UniqueId, await inbox.SearchAsync(SearchQuery.HeaderContains("Message-ID", summary.Envelope!.MessageId![1..^1]), stop));
        await client.DisconnectAsync(true, stop);
    }

    /// <summary>All messages to INBOX as their files have them, lone line feeds included.</summary>
    private static async Task UploadAsync(ImapClient client)
    {
        foreach (string file in Corpus.Files)
        {
            byte[] message = await File.ReadAllBytesAsync(file);
            // A NUL needs a literal8.
            await client.SendRaw($"u APPEND INBOX {(message.Contains((byte)0) ? "~" : "")}{{{message.Length}+}}\r\n");
            await client.SendBytes(message);
            await client.SendRaw("\r\n");
            await client.Ok("u", "[APPENDUID …] …");
        }
    }

    /// <summary>A literal shows a NUL as 0x80.</summary>
    private static string Literal(byte[] bytes) => $"{{{bytes.Length}}}\r\n{Encoding.Latin1.GetString(bytes).Replace('\0', '\u0080')}";

    /// <summary>The leaves of a message with their numbers (RFC 9051 §6.4.5.1), encoded as they are; none where MimeKit refuses it.</summary>
    private static IEnumerable<(string Number, byte[] Bytes)> Parts(byte[] message)
    {
        MimeEntity? body;
        try
        {
            body = MimeMessage.Load(new MemoryStream(message)).Body;
        }
        catch (FormatException)
        {
            return [];
        }
        return Parts(body, body is Multipart ? "" : "1");
    }

    private static IEnumerable<(string Number, byte[] Bytes)> Parts(MimeEntity? entity, string number)
    {
        string inside = number.Length == 0 ? "" : number + ".";
        switch (entity)
        {
            case Multipart multipart:
                return multipart.SelectMany((part, i) => Parts(part, $"{inside}{i + 1}"));
            // MimeKit also looks into message/external-body, which is no message of which IMAP would number the parts.
            case MessagePart { Message.Body: { } embedded } message when message.ContentType.IsMimeType("message", "rfc822"):
                return Parts(embedded, embedded is Multipart ? number : inside + "1");
            case MimePart leaf:
                var bytes = new MemoryStream();
                leaf.Content?.WriteTo(bytes);
                return [(number, bytes.ToArray())];
            default:
                return [];
        }
    }
}
