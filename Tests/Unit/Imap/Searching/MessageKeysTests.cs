using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Search;
using MailCluster.Imap.Wire;
using MailCluster.Storage.Content;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>What is kept of sort keys and links changes no answer, is not asked for again, and stays within its bounds.</summary>
public sealed class MessageKeysTests
{
    private static readonly AccountId Account = new(1);
    private static readonly string[] Subjects = ["alpha", "Re: alpha", "beta with a long tail one", "beta with a long tail two", "fwd: Beta with a long tail one", "", "é"];

    private readonly FakeBodies _store = new();
    private readonly Dictionary<EmailId, MessageContent> _contents = [];
    private uint _uid;

    [Theory]
    [InlineData(16 * 1024 * 1024)]
    [InlineData(40_000)]
    [InlineData(0)]
    public async Task Whatever_comes_and_goes_the_order_is_that_of_the_envelopes(long capacity)
    {
        var cache = new CachedBodies(_store, capacity);
        var random = new Random(7);
        var rows = new List<MessageRow>();
        for (int step = 0; step < 12; step++)
        {
            for (int i = random.Next(0, step == 0 ? 1400 : 300); i > 0; i--)
                rows.Add(Add(random));
            rows.RemoveAll(_ => random.Next(step % 3 == 1 ? 2 : 40) == 0);
            MailboxSnapshot messages = MailboxSnapshot.OfRows(1, step, _uid + 1, rows);
            // All of them, and now and then a few.
            UidSet found = UidSet.FromUids(rows.Where(_ => step % 4 != 3 || random.Next(30) == 0).Select(static r => r.Uid));
            SortCriterion[] criteria = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => new SortCriterion((SortKey)random.Next(10), random.Next(2) == 0))];
            MessageRef[] sorted = await new MailboxSort(new MessageKeys(cache, Account, Collation.Unicode), criteria).RunAsync(messages, found, default);
            Assert.Equal(Naive(messages.Messages(found), criteria).Select(static m => m.Uid), sorted.Select(static m => m.Uid));
            foreach (ThreadAlgorithm algorithm in Enum.GetValues<ThreadAlgorithm>())
            {
                ThreadTree kept = await new MailboxThreads(new MessageKeys(cache, Account, Collation.Unicode), algorithm).RunAsync(messages, found, default);
                ThreadTree fresh = await new MailboxThreads(new MessageKeys(_store, Account, Collation.Unicode), algorithm).RunAsync(messages, found, default);
                Assert.Equal(Text(fresh), Text(kept));
            }
            Assert.InRange(cache.Octets, 0, capacity);
        }
    }

    [Fact]
    public async Task What_is_known_is_not_asked_for_again()
    {
        var cache = new CachedBodies(_store, 16 * 1024 * 1024);
        var random = new Random(1);
        List<MessageRow> rows = [.. Enumerable.Range(0, 700).Select(_ => Add(random))];
        MailboxSnapshot messages = MailboxSnapshot.OfRows(1, 1, _uid + 1, rows);
        ValueTask<KeyTable> first = Load(messages);
        await first;
        Assert.True(Load(messages).IsCompletedSuccessfully);
        // Another kind is asked for once; what was there stays.
        await Load(messages, KeyKind.To);
        Assert.True(Load(messages, KeyKind.To).IsCompletedSuccessfully);
        Assert.True(Load(messages).IsCompletedSuccessfully);
        // One comes, one goes: the last chunk is asked about one email.
        int asked = _store.Asked.Emails;
        rows.Add(Add(random));
        rows.RemoveAt(600);
        messages = MailboxSnapshot.OfRows(1, 2, _uid + 1, rows);
        await Load(messages);
        Assert.Equal(asked + 1, _store.Asked.Emails);
        Assert.True(Load(messages).IsCompletedSuccessfully);
        // Nothing new: nothing is asked.
        rows.RemoveAt(650);
        Assert.True(Load(MailboxSnapshot.OfRows(1, 3, _uid + 1, rows)).IsCompletedSuccessfully);

        ValueTask<KeyTable> Load(MailboxSnapshot of, KeyKind kind = KeyKind.Subject) => new MessageKeys(cache, Account, Collation.Unicode).LoadAsync(of, [.. of.Messages()], [kind], default);
    }

    [Fact]
    public async Task Of_an_email_that_is_gone_nothing_is_kept()
    {
        var cache = new CachedBodies(_store, 16 * 1024 * 1024);
        List<MessageRow> rows = [.. Enumerable.Range(0, 20).Select(_ => Add(new Random(3)))];
        MailboxSnapshot messages = MailboxSnapshot.OfRows(1, 1, _uid + 1, rows);
        _store.Forget(rows[4].Email);
        KeyTable keys = await new MessageKeys(cache, Account, Collation.Unicode).LoadAsync(messages, [.. messages.Messages()], [KeyKind.Subject], default);
        Assert.True(keys.Text(KeyKind.Subject, 4).IsEmpty);
        Assert.Null(cache.FindComputed(Account, rows[0].Email));
    }

    private MessageRow Add(Random random)
    {
        uint uid = _uid += (uint)random.Next(1, 3);
        string date = random.Next(5) == 0 ? "never" : $"Sun, {random.Next(1, 29)} Feb 2026 10:00:00 +0000";
        string text = $"From: a{random.Next(4)} <m{random.Next(9)}@x.test>\r\nTo: t{random.Next(9)}@x.test\r\nCc: c{random.Next(3)}@x.test\r\n"
            + $"Subject: {Subjects[random.Next(Subjects.Length)]}\r\nDate: {date}\r\nMessage-ID: <{uid}@x>\r\nReferences: <{random.Next(1, (int)uid + 1)}@x> <{random.Next(1, (int)uid + 1)}@x>\r\n\r\nx\r\n";
        byte[] body = Encoding.UTF8.GetBytes(text);
        BodyId id = _store.Add(body);
        _contents.Add(new EmailId(id.Value), ContentParser.Parse(body));
        return new MessageRow(uid, new EmailId(id.Value), (uint)body.Length, 1_700_000_000 + random.Next(50), 0, 1_700_000_000, new FlagList(SystemFlags.None, []), 1, id.Value);
    }

    private IEnumerable<MessageRef> Naive(IEnumerable<MessageRef> messages, SortCriterion[] criteria)
    {
        var order = messages.OrderBy(static _ => 0);
        foreach (SortCriterion criterion in criteria)
        {
            Func<MessageRef, string> key = m => Key(m, _contents[m.Email].Envelope, criterion.Key);
            order = criterion.Reverse ? order.ThenByDescending(key, StringComparer.Ordinal) : order.ThenBy(key, StringComparer.Ordinal);
        }
        return order;
    }

    private static string Key(MessageRef message, EnvelopeData envelope, SortKey key) => key switch
    {
        SortKey.Arrival => message.InternalDate.ToUnixTimeSeconds().ToString("D12"),
        SortKey.Size => message.Size.ToString("D12"),
        SortKey.Relevancy => "",
        SortKey.Date => KeyTexts.SentDate(message, envelope).ToString("D12"),
        _ => UnicodeCasemap.Map(KeyTexts.Of(Enum.Parse<KeyKind>(key.ToString()), envelope).Text),
    };

    private static string Text(ThreadTree tree)
    {
        var text = new StringBuilder();
        foreach (int root in tree.Roots)
            Append(root);
        return text.ToString();

        void Append(int node)
        {
            text.Append('(').Append(tree[node]?.Row.Uid);
            foreach (int child in tree.Children(node))
                Append(child);
            text.Append(')');
        }
    }
}
