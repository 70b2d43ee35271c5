using MailCluster.Contracts;
using MailCluster.Storage.Lanes;
using MailCluster.Storage.Mailboxes;
using MailCluster.Storage.Maintenance;
using MailCluster.Tests.Storage.Lanes;
using MailCluster.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace MailCluster.Tests.Storage.Mailboxes;

/// <summary>Packed pages of a mailbox: used where they are right, and never believed where they are not.</summary>
public sealed class SnapshotPagesTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    private MailboxStore Plain => field ??= new MailboxStore(Database, new SnapshotPageOptions { MinMessages = int.MaxValue });

    private MailboxStore Packing => field ??= new MailboxStore(Database, new SnapshotPageOptions { MinMessages = 1, MinChanges = 1 });

    [Fact]
    public void A_chunk_comes_back_as_it_was_and_any_other_octet_is_noticed()
    {
        var chunk = MessageChunk.Of(
            [
                new MessageRow(1, new EmailId(long.MaxValue), uint.MaxValue, 0, -720, 253402300799, FlagList.None, 7, long.MinValue),
                new MessageRow(uint.MaxValue - 1, new EmailId(-5), 0, 253402300799, 840, 0, FlagList.None, long.MaxValue, 3),
            ], [int.MaxValue, 0]);
        byte[] page = PackedChunk.Pack(chunk);
        Assert.Equivalent(chunk, PackedChunk.Unpack(page), strict: true);
        for (int i = 0; i < page.Length; i++)
        {
            byte[] damaged = [.. page];
            damaged[i] ^= 0x10;
            Assert.Null(PackedChunk.Unpack(damaged));
            Assert.Null(PackedChunk.Unpack(page.AsSpan(0, i)));
        }
    }

    [Fact]
    public async Task The_second_load_reads_pages_and_the_rows_that_changed_since()
    {
        Owned mailbox = await MailboxAsync(await AccountAsync());
        await DoneAsync(await AppendOfAsync(mailbox, 1300, SystemFlags.Seen, ["Work"]));
        await LoadPackedAsync(mailbox);
        Assert.Equal(3L, await ScalarAsync<long>("select count(*) from mail.snapshot_page"));
        // A row that no commit has changed is not looked at again: the rows' version shows that this was none of them.
        await ExecuteAsync("update mail.message set thread_id = 4711 where mailbox_id = $1 and uid = 2", mailbox.Key.Mailbox.Value);
        await DoneAsync(StoreOf(mailbox, Range(1250, 1260), StoreMode.Add, SystemFlags.Flagged, ["Later"]));
        await DoneAsync(ExpungeOf(mailbox, Range(1000, 1100)));
        await DoneAsync(await AppendOfAsync(mailbox, 100));
        MailboxSnapshot packed = await LoadPackedAsync(mailbox), rows = await LoadRowsAsync(mailbox);
        Assert.NotEqual(4711, packed[1].Thread);
        Assert.Equal(Text(rows).Where(static t => !t.StartsWith("2 ", StringComparison.Ordinal)), Text(packed).Where(static t => !t.StartsWith("2 ", StringComparison.Ordinal)));
        // Written anew with what was read of rows, and only where that differs.
        await DoneAsync(StoreOf(mailbox, Range(1, 1), StoreMode.Add, SystemFlags.Flagged));
        string before = await ScalarAsync<string>("select string_agg(xmin::text, ' ' order by no) from mail.snapshot_page where no > 0");
        Assert.True((await LoadPackedAsync(mailbox))[0].SystemFlags.HasFlag(SystemFlags.Flagged));
        Assert.Equal(before, await ScalarAsync<string>("select string_agg(xmin::text, ' ' order by no) from mail.snapshot_page where no > 0"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Whatever_happens_pages_and_rows_tell_the_same(int seed)
    {
        var random = new Random(seed);
        AccountId account = await AccountAsync();
        Owned[] mailboxes = [await MailboxAsync(account), await MailboxAsync(account, "Other")];
        string[] keywords = ["Work", "work", "$Junk", "later"];
        foreach (Owned mailbox in mailboxes)
            await DoneAsync(await AppendOfAsync(mailbox, 2000, SystemFlags.Draft, ["first"]));
        for (int i = 0; i < 120; i++)
        {
            Owned mailbox = mailboxes[random.Next(2)];
            uint first = (uint)random.Next(1, 2600), last = first + (uint)random.Next(200);
            string[]? some = random.Next(2) == 0 ? null : [keywords[random.Next(4)], keywords[random.Next(4)]];
            await DoneAsync(random.Next(8) switch
            {
                0 or 1 => await AppendOfAsync(mailbox, random.Next(1, 60), (SystemFlags)random.Next(32), some),
                2 => ExpungeOf(mailbox, Range(first, last)),
                3 => CopyOf(mailboxes[random.Next(2)], Range(first, last), mailbox, move: random.Next(2) == 0),
                _ => StoreOf(mailbox, Range(first, last), (StoreMode)random.Next(3), (SystemFlags)random.Next(32), some),
            });
            if (random.Next(3) == 0)
                Assert.Equal(Text(await LoadRowsAsync(mailbox)), Text(await LoadPackedAsync(mailbox)));
        }
    }

    [Theory]
    [InlineData("delete from mail.snapshot_page where no = 1")]
    [InlineData("delete from mail.snapshot_page")]
    [InlineData("delete from mail.snapshot")]
    [InlineData("truncate mail.snapshot, mail.snapshot_page")]
    [InlineData("update mail.snapshot_page set data = set_byte(data, 100, (get_byte(data, 100) + 1) % 256) where no = 2")]
    [InlineData("update mail.snapshot_page set data = '' where no = 0")]
    [InlineData("update mail.snapshot_page set data = set_byte(data, 0, 2)")]
    [InlineData("update mail.snapshot_page set no = 7 where no = 1")]
    [InlineData("update mail.snapshot_page p set data = q.data from mail.snapshot_page q where p.no = 0 and q.no = 1")]
    [InlineData("update mail.snapshot set modseq = modseq + 1000")]
    [InlineData("update mail.snapshot set keyword_sets = '{}'")]
    [InlineData("update mail.mailbox set vanished_floor = highest_modseq")]
    [InlineData("delete from mail.change where kind = 2")]
    public async Task What_is_missing_or_damaged_is_read_from_the_rows_and_made_good(string damage)
    {
        Owned mailbox = await MailboxAsync(await AccountAsync());
        await DoneAsync(await AppendOfAsync(mailbox, 1500, keywords: ["Work"]));
        await LoadPackedAsync(mailbox);
        await DoneAsync(StoreOf(mailbox, Range(3, 5), StoreMode.Add, SystemFlags.Flagged));
        await ExecuteAsync(damage);
        IReadOnlyList<string> rows = Text(await LoadRowsAsync(mailbox));
        Assert.Equal(rows, Text(await LoadPackedAsync(mailbox)));
        Assert.Equal(rows, Text(await LoadPackedAsync(mailbox)));
        Assert.Equal("0 1 2", await ScalarAsync<string>("select string_agg(no::text, ' ' order by no) from mail.snapshot_page"));
    }

    [Fact]
    public async Task Only_the_owner_writes_and_only_on_what_it_has_read()
    {
        Owned mailbox = await MailboxAsync(await AccountAsync());
        await DoneAsync(await AppendOfAsync(mailbox, 10));
        MailboxSnapshot snapshot = await LoadPackedAsync(mailbox);
        var packed = new PackedVersion(snapshot, await ScalarAsync<long>("select stamp from mail.snapshot"), snapshot.Chunks, 0);
        Assert.True(await SnapshotPages.WriteAsync(Database.Main, mailbox.Key, snapshot, packed));
        Assert.False(await SnapshotPages.WriteAsync(Database.Main, mailbox.Key, snapshot, packed));
        await ClaimAsync(mailbox.Key);
        Assert.False(await SnapshotPages.WriteAsync(Database.Main, mailbox.Key, snapshot, null));
    }

    [Fact]
    public async Task Small_mailboxes_have_none_and_deleted_ones_leave_none()
    {
        AccountId account = await AccountAsync();
        Owned mailbox = await MailboxAsync(account, "Large");
        await DoneAsync(await AppendOfAsync(mailbox, 600));
        Assert.NotNull(await Mailboxes.LoadAsync(mailbox.Key, mailbox.Epoch));
        await Mailboxes.Packing;
        Assert.Equal(0L, await ScalarAsync<long>("select count(*) from mail.snapshot"));
        await LoadPackedAsync(mailbox);
        Assert.Equal(1L, await ScalarAsync<long>("select count(*) from mail.snapshot"));
        await Tree.DeleteAsync(account, NextOperation(), MailboxPath.Parse("Large", '/'));
        await new Collector(Database.Main, new CollectorOptions(), NullLogger<Collector>.Instance).PurgeDeletedAsync(default);
        Assert.Equal(0L, await ScalarAsync<long>("select (select count(*) from mail.snapshot) + (select count(*) from mail.snapshot_page)"));
    }

    /// <summary>As the owner loads it, and until it is packed.</summary>
    private async Task<MailboxSnapshot> LoadPackedAsync(Owned mailbox)
    {
        (MailboxSnapshot snapshot, MailboxStatus status) = (await Packing.LoadAsync(mailbox.Key, mailbox.Epoch))!.Value;
        Assert.Equal((status.Messages, status.HighestModSeq, status.UidNext), (snapshot.Count, snapshot.ModSeq, snapshot.UidNext));
        await Packing.Packing;
        return snapshot;
    }

    private async Task<MailboxSnapshot> LoadRowsAsync(Owned mailbox) => (await Plain.LoadAsync(mailbox.Key, mailbox.Epoch))!.Value.Snapshot;

    private static UidSet Range(uint first, uint last) => UidSet.FromRanges([new UidRange(first, last)]);

    private static IReadOnlyList<string> Text(MailboxSnapshot snapshot) =>
        [.. snapshot.Messages().Select(static m => $"{m.Uid} {m.Email} {m.Size} {m.InternalDate:O} {m.SaveDate:O} {m.Thread} {m.ModSeq} {m.SystemFlags} {string.Join(' ', m.Keywords)}")];
}
