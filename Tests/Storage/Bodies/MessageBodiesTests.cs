using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using MailCluster.Contracts;
using MailCluster.Storage.Bodies;
using MailCluster.Storage.Ids;
using MailCluster.Tests.Support;
using Npgsql;
using Xunit;

namespace MailCluster.Tests.Storage.Bodies;

public sealed class MessageBodiesTests(PostgresFixture postgres) : BodyTest(postgres)
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(500)]
    [InlineData(8_000)]
    [InlineData(8_001)]
    [InlineData(262_143)]
    [InlineData(262_144)]
    [InlineData(262_145)]
    [InlineData(524_288)]
    [InlineData(1_500_000)]
    public async Task What_comes_out_is_what_went_in(int size)
    {
        var message = Message(size);
        var staged = await StageAsync(message, claims: 3);
        Assert.Equal(size, staged.Size);
        Assert.Equal(new Guid(SHA256.HashData(message).AsSpan(0, 16), bigEndian: true), staged.Hash);
        Assert.Equal(message, await ReadAsync(staged.Body, 0, size));
        // Known to be all of it: chunks are read as they are.
        Assert.Equal(message, await ReadAsync(staged.Body, 0, size, size));
        Assert.Equal(message, (await Store.GetBodiesAsync([staged.Body], size, default))[0]);
        Assert.Equal("0,1,2", await ScalarAsync<string>("select string_agg(claim::text, ',' order by claim) from mail.body_staged"));
        Assert.Equal(Math.Max(1, (size + 262_143) / 262_144), await ScalarAsync<long>("select count(*) from mail.body_chunk"));
        Assert.Equal((long)size, await ScalarAsync<long>($"select size from mail.body where id = {staged.Body} and tenant_id = {Tenant}"));
    }

    [Theory]
    [InlineData("a\nb", "a\r\nb")]
    [InlineData("a\r\nb\n", "a\r\nb\r\n")]
    [InlineData("\n\n", "\r\n\r\n")]
    [InlineData("a\rb\r\r\n\r", "a\rb\r\r\n\r")]
    [InlineData("a\0b\n", "a\0b\r\n")]
    public async Task Lone_line_feeds_become_line_ends_and_lone_carriage_returns_stay(string received, string stored)
    {
        var staged = await StageAsync(Encoding.ASCII.GetBytes(received));
        Assert.Equal(stored, Encoding.ASCII.GetString(await ReadAsync(staged.Body, 0, staged.Size)));
        Assert.Equal(new Guid(SHA256.HashData(Encoding.ASCII.GetBytes(received)).AsSpan(0, 16), bigEndian: true), staged.Hash);
    }

    [Fact]
    public void Line_ends_come_out_the_same_wherever_input_and_output_are_cut()
    {
        var random = new Random(1);
        for (var round = 0; round < 2_000; round++)
        {
            var input = Enumerable.Range(0, random.Next(40)).Select(_ => "ab\r\n"u8[random.Next(4)]).ToArray();
            var expected = Encoding.ASCII.GetBytes(System.Text.RegularExpressions.Regex.Replace(Encoding.ASCII.GetString(input), "(?<!\r)\n", "\r\n"));
            var (ends, output) = (new LineEnds(), new List<byte>());
            var piece = new byte[8];
            for (var at = 0; at < input.Length;)
            {
                var (taken, written) = ends.Copy(input.AsSpan(at, random.Next(1, Math.Min(9, input.Length - at + 1))), piece.AsSpan(0, random.Next(1, 9)));
                output.AddRange(piece.AsSpan(0, written));
                at += taken;
            }
            Assert.Equal(expected, output);
        }
    }

    [Fact]
    public async Task The_checksum_is_crc32c_of_what_is_stored()
    {
        // The check value of CRC-32C is defined over these nine digits.
        await StageAsync("123456789"u8.ToArray());
        Assert.Equal(unchecked((int)0xE3069283), await ScalarAsync<int>("select crc32c from mail.body"));
    }

    [Fact]
    public async Task Ranges_cross_chunks()
    {
        var message = Message(700_000);
        var staged = await StageAsync(message);
        foreach (var (offset, count) in new[] { (0, 1), (262_143, 2), (262_144, 262_144), (100, 600_000), (699_999, 1), (0, 0) })
            Assert.Equal(message.AsSpan(offset, count).ToArray(), await ReadAsync(staged.Body, offset, count));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => ReadAsync(staged.Body, 699_999, 2));
    }

    [Theory]
    [InlineData(1_000)]
    [InlineData(262_144)]
    [InlineData(600_000)]
    public async Task What_is_too_big_is_read_to_its_end_and_nothing_is_kept(int maxSize)
    {
        foreach (var (size, fits) in new[] { (maxSize, true), (maxSize + 1, false), (maxSize + 1_000_000, false) })
        {
            var source = PipeReader.Create(new MemoryStream(Message(size)));
            var staged = await Store.StageAsync(Tenant, source, 1, null, maxSize, default);
            Assert.Equal(fits ? null : MailErrorCode.TooBig, staged.Error?.Code);
            Assert.True((await source.ReadAsync()) is { IsCompleted: true, Buffer.IsEmpty: true });
            if (fits)
                await Store.DiscardAsync(staged.Value!, default);
            Assert.Equal(0, await RowsAsync());
        }
    }

    [Fact]
    public async Task Bodies_of_many_senders_are_stored_together_and_each_is_its_own()
    {
        using var gone = new CancellationTokenSource();
        byte[][] messages = [.. Enumerable.Range(1, 300).Select(i => Message(i * 37 % 9000))];
        Task<MailResult<StagedBody>>[] staging = [.. messages.Select((m, i) => Task.Run(async () =>
            await Store.StageAsync(Tenant, PipeReader.Create(new MemoryStream(m)), 1 + (i % 3), null, long.MaxValue, i == 150 ? gone.Token : default)))];
        await gone.CancelAsync();
        for (var i = 0; i < messages.Length; i++)
        {
            if (i == 150 && await Record.ExceptionAsync(() => staging[i]) is { } e)
            {
                Assert.IsAssignableFrom<OperationCanceledException>(e);
                continue;
            }
            var staged = (await staging[i]).Value!;
            Assert.Equal(messages[i], await ReadAsync(staged.Body, 0, staged.Size));
            Assert.Equal(1L + (i % 3), await ScalarAsync<long>($"select count(*) from mail.body_staged where body_id = {staged.Body}"));
        }
        // Fewer transactions than bodies: they went together.
        Assert.InRange(await ScalarAsync<long>("select count(distinct xmin::text) from mail.body"), 1, 299);
    }

    [Fact]
    public async Task A_source_that_fails_leaves_nothing()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await pipe.Writer.WriteAsync(Message(1_000_000));
        await pipe.Writer.CompleteAsync(new InvalidOperationException("gone"));
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Store.StageAsync(Tenant, pipe.Reader, 1, null, long.MaxValue, default));
        Assert.Equal(0, await RowsAsync());
    }

    [Fact]
    public async Task Headers_become_thread_keys_and_a_message_id()
    {
        var staged = await StageAsync(Message(500));
        var reply = await StageAsync("In-Reply-To: <m@x.test>\r\n\r\n"u8.ToArray());
        var none = await StageAsync("\r\nhello"u8.ToArray());
        Assert.Equal(3, staged.ThreadKeys.Count);
        Assert.Equal(staged.ThreadKeys[0], Assert.Single(reply.ThreadKeys));
        Assert.Equal("<m@x.test>", staged.MessageId);
        Assert.Null(none.MessageId);
        Assert.Empty(none.ThreadKeys);
    }

    [Fact]
    public async Task Emails_come_in_the_order_asked_for_with_prefix_and_content()
    {
        var one = await StageAsync(Message(500), claims: 2);
        var two = await StageAsync("Subject: two\r\n\r\nbody"u8.ToArray());
        EmailId a = await ClaimAsync(one, 0, "Return-Path: <>\r\n"), b = await ClaimAsync(one, 1), c = await ClaimAsync(two, 0);
        var emails = await Store.GetEmailsAsync(Account, [c, new(1), b, a, c], withContent: true, default);
        Assert.Equal([c, null, b, a, c], emails.Select(e => e?.Id));
        Assert.Equal("two", emails[0]!.Content!.Envelope.Subject.ToString());
        Assert.Equal((one.Body, 500L, "Return-Path: <>\r\n"), (emails[3]!.Body, emails[3]!.BodySize, Encoding.ASCII.GetString(emails[3]!.Prefix)));
        Assert.All(await Store.GetEmailsAsync(Account, [a, b], withContent: false, default), e => Assert.Null(e!.Content));
        Assert.Null((await Store.GetEmailsAsync(new(1), [a], withContent: false, default))[0]);
        Assert.Empty(await Store.GetEmailsAsync(Account, [], withContent: true, default));
    }

    [Fact]
    public async Task Bodies_that_are_too_large_or_gone_are_null()
    {
        StagedBody small = await StageAsync(Message(10)), large = await StageAsync(Message(300_000)), middle = await StageAsync(Message(2_000));
        var bodies = await Store.GetBodiesAsync([large.Body, small.Body, new(1), middle.Body, small.Body], 2_000, default);
        Assert.Equal([null, 10, null, 2_000, 10], bodies.Select(b => b?.Length));
    }

    [Fact]
    public async Task A_discarded_body_is_gone_unless_a_message_has_it()
    {
        StagedBody unused = await StageAsync(Message(400_000)), used = await StageAsync(Message(100), claims: 2);
        await ClaimAsync(used, 0);
        await Store.DiscardAsync(unused, default);
        await Store.DiscardAsync(used, default);
        await Assert.ThrowsAsync<BodyGoneException>(() => ReadAsync(unused.Body, 0, 1));
        Assert.Equal(Message(100), await ReadAsync(used.Body, 0, 100));
        Assert.Equal(0, await ScalarAsync<long>("select count(*) from mail.body_staged"));
    }

    [Fact]
    public async Task An_upload_whose_beginning_was_collected_says_so()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await pipe.Writer.WriteAsync(Message(300_000));
        var staging = Store.StageAsync(Tenant, pipe.Reader, 1, null, long.MaxValue, default).AsTask();
        while (await ScalarAsync<long>("select count(*) from mail.body_staged where claim = -1") == 0)
            await Task.Yield();
        await ExecuteAsync("delete from mail.body_staged");
        await pipe.Writer.CompleteAsync();
        await Assert.ThrowsAsync<StoreUnavailableException>(() => staging);
        Assert.Equal(0, await RowsAsync());
    }

    [Fact]
    public async Task Without_postgresql_the_store_is_unavailable()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=127.0.0.1;Port=1;Username=nobody;Timeout=2");
        var store = new MessageBodies(nowhere, new IdBlocks(Database), new BodyOptions { Patience = TimeSpan.Zero });
        await Assert.ThrowsAsync<StoreUnavailableException>(async () =>
            await store.StageAsync(Tenant, PipeReader.Create(new MemoryStream([1])), 1, null, long.MaxValue, default));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.GetEmailsAsync(Account, [new(1)], false, default));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await store.GetBodiesAsync([new(1)], 1, default));
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await new IdBlocks(nowhere).NextAsync());
        await using var pieces = store.ReadAsync(new(1), 1, 0, 1, default).GetAsyncEnumerator();
        await Assert.ThrowsAsync<StoreUnavailableException>(async () => await pieces.MoveNextAsync());
    }

    [Fact]
    public async Task Up_to_8000_octets_stay_in_the_row_and_larger_ones_go_out_of_line_uncompressed()
    {
        const string outOfLine = """
            select coalesce(sum(pg_relation_size(c.reltoastrelid)), 0)::bigint from pg_class c
            where c.relname like 'body_chunk_%' and c.relkind = 'r'
            """;
        for (var i = 0; i < 40; i++)
            await StageAsync(Encoding.ASCII.GetBytes(new string('x', 8_000 - i)));
        Assert.Equal(0, await ScalarAsync<long>(outOfLine));
        await StageAsync(Encoding.ASCII.GetBytes(new string('x', 262_144)));
        Assert.InRange(await ScalarAsync<long>(outOfLine), 262_144, 400_000);
    }
}
