using System.Buffers;
using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Wire;
using MailCluster.Storage.Content;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Fetching;

/// <summary>What is kept of written ENVELOPEs and structures changes no answer, is not written again, and stays within its bounds.</summary>
public sealed class WrittenBatchesTests
{
    private static readonly AccountId Account = new(1);
    private static readonly FetchItem[] Both = [FetchItem.Envelope, FetchItem.BodyStructure];

    private readonly FakeBodies _store = new();
    private readonly Dictionary<EmailId, MessageContent> _contents = [];
    private uint _uid;
    private bool _large;

    [Theory]
    [InlineData(16 * 1024 * 1024)]
    [InlineData(300_000)]
    [InlineData(0)]
    public async Task Whatever_comes_and_goes_each_message_has_what_its_email_says(long capacity)
    {
        var cache = new CachedBodies(_store, capacity);
        var random = new Random(5);
        _large = true;
        var rows = new List<MessageRow>();
        for (int step = 0; step < 40; step++)
        {
            for (int i = random.Next(0, step == 0 ? 1400 : 60); i > 0; i--)
                rows.Add(Add(random));
            rows.RemoveAll(_ => random.Next(step % 7 == 1 ? 4 : 200) == 0);
            MessageRef[] messages = [.. MailboxSnapshot.OfRows(1, step, _uid + 1, rows).Messages()];
            messages = (step % 4) switch
            {
                1 => [.. messages.Where(_ => random.Next(20) == 0)],
                2 => messages[random.Next(messages.Length / 2)..],
                3 => [.. messages.Reverse()],
                _ => messages,
            };
            FetchItem[] items = [.. new[] { FetchItem.BodyStructure, FetchItem.Envelope, FetchItem.Body }.Where(_ => random.Next(3) > 0)];
            var charset = (WireCharset)random.Next(2);
            Assert.Equal(messages.Select(m => (m.Uid, Expected(m, items, charset))), await AllAsync(cache, messages, items, charset));
            Assert.InRange(cache.Octets, 0, capacity);
        }
    }

    [Fact]
    public async Task What_was_written_is_neither_read_nor_written_again_until_its_part_of_the_mailbox_changes()
    {
        var cache = new CachedBodies(_store, 16 * 1024 * 1024);
        var random = new Random(1);
        List<MessageRow> rows = [.. Enumerable.Range(0, 1000).Select(_ => Add(random))];
        await AllAsync(cache, Messages(), Both);
        // 512 and 488 messages to a chunk, 256 to a part.
        Assert.Equal(4, _store.Asked.Emails);
        await AllAsync(cache, Messages(), Both);
        await AllAsync(cache, Messages(), [FetchItem.Envelope]);
        await AllAsync(cache, Messages()[100..400], Both);
        Assert.Equal(4, _store.Asked.Emails);
        // Another way to write it, and another item, are other octets.
        await AllAsync(cache, Messages()[..256], Both, WireCharset.Utf8);
        await AllAsync(cache, Messages()[..256], [FetchItem.Body]);
        Assert.Equal(6, _store.Asked.Emails);
        // One comes: the last part alone is another.
        rows.Add(Add(random));
        await AllAsync(cache, Messages(), Both);
        Assert.Equal(7, _store.Asked.Emails);
        // A few here and there are asked for by themselves, together.
        await AllAsync(cache, [Messages()[3], Messages()[300], Messages()[700]], Both);
        await AllAsync(cache, [Messages()[700], Messages()[3]], Both);
        Assert.Equal(8, _store.Asked.Emails);

        MessageRef[] Messages() => [.. MailboxSnapshot.OfRows(1, 1, _uid + 1, rows).Messages()];
    }

    [Fact]
    public async Task Of_an_email_that_is_gone_there_is_nothing_and_its_part_is_not_kept()
    {
        var cache = new CachedBodies(_store, 16 * 1024 * 1024);
        List<MessageRow> rows = [.. Enumerable.Range(0, 200).Select(_ => Add(new Random(3)))];
        MessageRef[] messages = [.. MailboxSnapshot.OfRows(1, 1, _uid + 1, rows).Messages()];
        _store.Forget(rows[4].Email);
        List<(uint Uid, string Written)> written = await AllAsync(cache, messages, Both);
        Assert.Equal(rows[4].Uid, Assert.Single(written, static w => w.Written.Length == 0).Uid);
        Assert.Equal(0, cache.Octets);
    }

    private async Task<List<(uint Uid, string Written)>> AllAsync(CachedBodies cache, MessageRef[] messages, FetchItem[] items, WireCharset charset = WireCharset.Rev1)
    {
        var batches = new WrittenBatches(cache, Account, items, charset);
        var all = new List<(uint, string)>();
        foreach (WrittenBatches.Batch batch in WrittenBatches.Split(messages))
        {
            WrittenBatch written = await batches.LoadAsync(batch, default);
            Assert.InRange(batch.Messages.Count, 1, MessageBatches.MaxMessages);
            for (int i = 0; i < batch.Messages.Count; i++)
                all.Add((batch.Messages[i].Uid, string.Join(' ', Enumerable.Range(0, items.Length).Select(item => Encoding.Latin1.GetString(written[item, i]))).Trim()));
        }
        return all;
    }

    private string Expected(MessageRef message, FetchItem[] items, WireCharset charset) => string.Join(' ', items.Select(item =>
    {
        var written = new ArrayBufferWriter<byte>();
        WrittenItem.Write(new ReplyWriter(written, charset), item, _contents[message.Email]);
        return Encoding.Latin1.GetString(written.WrittenSpan);
    }));

    private MessageRow Add(Random random)
    {
        uint uid = _uid += (uint)random.Next(1, 3);
        byte[] body = Encoding.UTF8.GetBytes($"From: ä{random.Next(4)} <m{random.Next(9)}@x.test>\r\nSubject: é {uid}\r\nMessage-ID: <{uid}@x>\r\nContent-Type: text/plain; name*=utf-8''%c3%a4\r\n\r\nx\r\n");
        var email = new EmailId(_store.Add(body).Value);
        _contents[email] = ContentParser.Parse(body);
        // Now and then a large one, of which a batch takes few.
        return new MessageRow(uid, email, (uint)(_large && random.Next(3) == 0 ? 100_000 : body.Length), uid, 0, uid, new FlagList(SystemFlags.None, []), uid, 1);
    }
}
