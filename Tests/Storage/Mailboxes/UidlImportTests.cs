using MailCluster.Contracts;
using MailCluster.Storage.Mailboxes;
using MailCluster.Tests.Storage.Lanes;
using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Storage.Mailboxes;

/// <summary>POP3 unique-ids from another server.</summary>
public sealed class UidlImportTests(PostgresFixture postgres) : MailStoreTest(postgres)
{
    [Fact]
    public async Task They_are_given_all_or_none_and_read_back_in_order()
    {
        Owned inbox = await MailboxAsync(await AccountAsync()), other = await MailboxAsync(await AccountAsync("bob@a.test"));
        foreach (Owned mailbox in new[] { inbox, other })
            await Lanes.CommitAsync(await AppendOfAsync(mailbox, 5));
        var import = new UidlImport(Database.Main);
        Assert.Empty(await Mailboxes.ImportedUidlsAsync(inbox.Key, 1, 10));

        Assert.True((await import.RunAsync(inbox.Key, [new(4, "d"), new(2, "b")])).IsOk);
        // Again, with one more: what is there already is no error.
        Assert.True((await import.RunAsync(inbox.Key, [new(2, "b"), new(5, new string('~', 70))])).IsOk);
        Assert.Equal([new(2, "b"), new(4, "d"), new(5, new string('~', 70))], await Mailboxes.ImportedUidlsAsync(inbox.Key, 1, 10));
        Assert.Equal([new(4, "d")], await Mailboxes.ImportedUidlsAsync(inbox.Key, 3, 1));
        // Another account may have the same.
        Assert.True((await import.RunAsync(other.Key, [new(1, "b")])).IsOk);

        foreach ((ImportedUidl[] refused, string sentence) in new (ImportedUidl[], string)[]
        {
            ([new(1, "a"), new(9, "x")], "UID 9: 'x' can't be given: there is no such message."),
            ([new(1, "a"), new(2, "c")], "UID 2: 'c' can't be given: the message has another one."),
            ([new(1, "b")], "UID 1: 'b' can't be given: another message has it."),
            ([new(1, "a"), new(3, "a")], "UID 3: 'a' can't be given: the same UID or unique-id comes twice."),
            ([new(1, "a"), new(1, "c")], "UID 1: 'c' can't be given: the same UID or unique-id comes twice."),
            ([new(1, "")], "UID 1: '' is no unique-id"),
            ([new(1, "a b")], "is no unique-id"),
            ([new(1, "a\n")], "is no unique-id"),
            ([new(1, new string('a', 71))], "is no unique-id"),
            ([new(1, "1700000000.3")], "has the form of this server's own unique-ids"),
        })
        {
            MailError? error = (await import.RunAsync(inbox.Key, refused)).Error;
            Assert.Equal(MailErrorCode.Cannot, error?.Code);
            Assert.Contains(sentence, error!.Text);
        }
        Assert.Equal(3, (await Mailboxes.ImportedUidlsAsync(inbox.Key, 1, 10)).Count);
        Assert.Equal(MailErrorCode.NonExistent, (await import.RunAsync(new MailboxKey(inbox.Key.Account, new MailboxId(1)), [new(1, "a")])).Error?.Code);
    }
}
