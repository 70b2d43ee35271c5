using System.Text;
using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Contracts.Content;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Search;
using MailCluster.Imap.Wire;
using MailCluster.Storage.Content;
using MailCluster.Tests.Support;
using MailCluster.Tests.Support.Messages;
using MailCluster.Tests.Unit.Imap.Session;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>With the index, without it, and whatever has become of it meanwhile: a search finds the same.</summary>
public sealed class SearchIndexTests
{
    private static readonly AccountId Account = new(1);
    private static readonly TenantId Tenant = new(1);

    /// <summary>Characters whose case is one of Unicode's surprises, and some that have none.</summary>
    private static readonly string[] Letters =
    [
        "a", "b", "E", "F", "z", " ", ".", "\u00df", "\u1e9e", "\u0131", "\u0130", "i", "I", "k", "\u212a", "s", "\u017f", "\u03c3", "\u03c2", "\u03a3", "\u00b5", "\u03bc", "\u01c5", "\u01c6", "\u00e9", "e\u0301",
        "\u0436", "\u0416", "\u6f22", "\u5b57", "\U00010428", "\U00010400", "\U0001f600", "\ufb01", "\u1fb3", "\u1fbc", "\u0345", "\u03b1", "\U0001d6fc", "\uac01", "\u33d2",
    ];

    private static readonly string[] Charsets = ["utf-8", "iso-8859-1", "koi8-r", "windows-1253", "shift_jis", "gb18030", "iso-2022-jp", "x-nobody", ""];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    static SearchIndexTests() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    [Fact]
    public void Characters_that_match_without_regard_to_case_fold_to_the_same()
    {
        var same = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (int c = 0; c < 0x110000; c++)
        {
            string text = c is >= 0xD800 and < 0xE000 ? ((char)c).ToString() : char.ConvertFromUtf32(c);
            var folded = new char[text.Length];
            TextSignature.Fold(text, folded);
            if (!same.TryAdd(text, new string(folded)))
                Assert.Equal(same[text], new string(folded));
        }
    }

    [Fact]
    public async Task A_search_finds_the_same_with_and_without_the_index()
    {
        var random = new Random(1);
        (MailboxSnapshot messages, FakeBodies bodies, List<string> texts) = await MakeAsync(random);
        var index = new FakeIndex();
        await IndexAsync(index, bodies, messages);
        Assert.Equal(2, index.Groups.Count);
        int narrowed = 0;
        for (int i = 0; i < 100; i++)
        {
            SearchKey key = Key(random, texts);
            SearchFound plain = await FindAsync(bodies, messages, key, null);
            int before = bodies.Asked.Bodies;
            SearchFound indexed = await FindAsync(bodies, messages, key, index);
            Assert.True(plain.Uids.Equals(indexed.Uids), $"{key}: {plain.Uids} without the index, {indexed.Uids} with it");
            if (bodies.Asked.Bodies - before < 4)
                narrowed++;
            // Groups go while they are read and between searches; the next search asks for them again.
            if (i % 10 == 9)
            {
                index.AfterGroup = random.Next(2) == 0 ? () => index.Remove(index.Groups.LastOrDefault()) : null;
                if (index.Groups.Count > 0)
                    index.Remove(index.Groups[random.Next(index.Groups.Count)]);
            }
            if (i % 10 == 4)
            {
                index.AfterGroup = null;
                await IndexAsync(index, bodies, messages);
            }
        }
        Assert.InRange(narrowed, 25, 100);
    }

    [Fact]
    public async Task What_the_index_knows_is_not_read()
    {
        (MailboxSnapshot messages, FakeBodies bodies, _) = await MakeAsync(new Random(2), odd: false);
        var index = new FakeIndex();
        await IndexAsync(index, bodies, messages);
        // Of the messages that are in no group the search tells, and they are all that it reads.
        MailboxSnapshot known = MailboxSnapshot.OfRows(1, 1, 5000, Rows(messages.Messages().Where(m => m.Email.Value <= 2 * SearchGroup.MaxEmails)));
        var before = bodies.Asked;
        Assert.True((await FindAsync(bodies, known, new SearchKey.Body("there is no such text"), index)).IsEmpty);
        Assert.True((await FindAsync(bodies, known, new SearchKey.Header("Subject", "there is no such text"), index)).IsEmpty);
        Assert.Equal(known.Count, (int)(await FindAsync(bodies, known, new SearchKey.Not(new SearchKey.Text("there is no such text")), index)).Uids.Cardinality);
        Assert.Equal(before, bodies.Asked);
        var search = new MailboxSearch(bodies, Account, new SearchCompiler(messages, UidSet.Empty, UidSet.Empty, default, Collation.Unicode).Compile(new SearchKey.Body("no such text")), index);
        await search.RunAsync(messages, UidSet.Empty, Stop);
        Assert.Equal(messages.Messages().Select(static m => m.Email).Where(static e => e.Value > 2 * SearchGroup.MaxEmails).Distinct().Order(Comparer<EmailId>.Create(static (a, b) => a.Value.CompareTo(b.Value))), search.Unknown);
    }

    [Fact]
    public async Task A_signature_has_all_that_can_be_found_in_any_message()
    {
        foreach (byte[] message in TroubleMessages.All.Select(static t => t.Message).Concat(Corpus.Files.Select(Corpus.Read)))
        {
            MessageContent content = ContentParser.Parse(message);
            string text = await TextAsync(message, content);
            var signature = new TextSignature();
            // In pieces of any size.
            for (int at = 0, size = 1; at < text.Length && signature.Add(text.AsSpan(at, Math.Min(size, text.Length - at))); at += size, size = (size * 7 % 1000) + 1)
            {
            }
            if (signature.IsFull)
                continue;
            var positions = signature.Positions().Select(static p => (int)p).ToHashSet();
            var random = new Random(3);
            for (int i = 0; i < 200 && text.Length > 3; i++)
            {
                string part = Cut(random, text, 20);
                if (TextSignature.PositionsOf(random.Next(2) == 0 ? part.ToUpperInvariant() : part.ToLowerInvariant()) is { } needed)
                    Assert.Subset(positions, needed.ToHashSet());
            }
        }
    }

    /// <summary>Groups that older nodes made would say what is no longer so.</summary>
    [Fact]
    public async Task When_signatures_change_the_format_is_raised()
    {
        using var hash = System.Security.Cryptography.IncrementalHash.CreateHash(System.Security.Cryptography.HashAlgorithmName.SHA256);
        foreach ((_, byte[] message) in TroubleMessages.All)
        {
            var signature = new TextSignature();
            signature.Add(await TextAsync(message, ContentParser.Parse(message)));
            hash.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes<ushort>(signature.Positions()));
        }
        Assert.Equal((3, "4123D19C0D1B029A"), (SearchGroup.Format >> 16, Convert.ToHexString(hash.GetHashAndReset().AsSpan(0, 8))));
    }

    [Fact]
    public async Task Tenants_take_turns_and_what_fails_is_asked_for_again()
    {
        (MailboxSnapshot messages, FakeBodies bodies, _) = await MakeAsync(new Random(4), odd: false);
        var index = new FakeIndex();
        EmailId[] emails = [.. messages.Messages().Select(static m => m.Email).Distinct().OrderBy(static e => e.Value)];
        bool fails = true;
        bodies.BeforeEmails = () => fails ? Task.FromException(new StoreUnavailableException("gone")) : Task.CompletedTask;
        await using var indexer = new SearchIndexer(index, bodies, 100, NullLogger.Instance);
        indexer.Ask(Tenant, Account, emails);
        await IdleAsync(indexer);
        Assert.Empty(index.Groups);
        fails = false;
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        bodies.BeforeEmails = () => go.Task;
        indexer.Ask(Tenant, Account, emails);
        indexer.Ask(Tenant, Account, emails);
        indexer.Ask(new TenantId(2), new AccountId(2), [.. emails.TakeLast(SearchGroup.MaxEmails + 5)]);
        // Less than a group waits for more.
        indexer.Ask(new TenantId(3), new AccountId(3), [.. emails.Take(SearchGroup.MaxEmails - 1)]);
        go.SetResult();
        await IdleAsync(indexer);
        Assert.Equal([emails[0].Value, emails[^(SearchGroup.MaxEmails + 5)].Value, emails[SearchGroup.MaxEmails].Value], index.Added);
    }

    private static async Task IdleAsync(SearchIndexer indexer)
    {
        while (!indexer.Idle.IsCompleted)
            await indexer.Idle;
    }

    private static async Task IndexAsync(FakeIndex index, FakeBodies bodies, MailboxSnapshot messages)
    {
        var search = new MailboxSearch(bodies, Account, new SearchCompiler(messages, UidSet.Empty, UidSet.Empty, default, Collation.Unicode).Compile(new SearchKey.Body("whatever it is")), index);
        await search.RunAsync(messages, UidSet.Empty, Stop);
        await using var indexer = new SearchIndexer(index, bodies, 100, NullLogger.Instance);
        indexer.Ask(Tenant, Account, search.Unknown);
        await IdleAsync(indexer);
    }

    private static ValueTask<SearchFound> FindAsync(FakeBodies bodies, MailboxSnapshot messages, SearchKey key, ISearchIndex? index) =>
        new MailboxSearch(bodies, Account, new SearchCompiler(messages, UidSet.Empty, UidSet.Empty, default, Collation.Unicode).Compile(key), index).RunAsync(messages, UidSet.Empty, Stop);

    private static SearchKey Key(Random random, List<string> texts) => random.Next(9) switch
    {
        0 => new SearchKey.Text(Needle(random, texts)),
        1 => new SearchKey.Header(random.Next(2) == 0 ? "Subject" : "From", Needle(random, texts)),
        2 => new SearchKey.Not(new SearchKey.Body(Needle(random, texts))),
        3 => new SearchKey.Or(new SearchKey.Text(Needle(random, texts)), new SearchKey.Header("Subject", Needle(random, texts))),
        4 => new SearchKey.And([new SearchKey.Body(Needle(random, texts)), new SearchKey.Not(new SearchKey.Text(Needle(random, texts)))]),
        _ => new SearchKey.Body(Needle(random, texts)),
    };

    private static string Needle(Random random, List<string> texts)
    {
        string needle = random.Next(4) == 0 ? Words(random, 4) : Cut(random, texts[random.Next(texts.Count)], 12);
        return random.Next(3) switch { 0 => needle.ToUpperInvariant(), 1 => needle.ToLowerInvariant(), _ => needle };
    }

    private static string Cut(Random random, string text, int most)
    {
        if (text.Length == 0)
            return "nothing";
        int at = random.Next(text.Length);
        return text.Substring(at, Math.Min(text.Length - at, random.Next(1, most)));
    }

    private static string Words(Random random, int count) => string.Concat(Enumerable.Range(0, count).Select(_ => Letters[random.Next(Letters.Length)]));

    private static MessageRow[] Rows(IEnumerable<MessageRef> messages) =>
        [.. messages.Select(static m => new MessageRow(m.Uid, m.Email, m.Size, 0, 0, 0, new FlagList(0, []), m.Uid, 1))];

    /// <summary>Two groups and a few messages more, some of them twice in the mailbox; their texts.</summary>
    private static async Task<(MailboxSnapshot, FakeBodies, List<string>)> MakeAsync(Random random, bool odd = true)
    {
        var bodies = new FakeBodies { PieceSize = 5000 };
        var texts = new List<string>();
        var rows = new List<MessageRow>();
        byte[][] real = [.. TroubleMessages.All.Select(static t => t.Message).Concat(Corpus.Files.Select(Corpus.Read)).Where(static m => m.Length < 20_000)];
        uint uid = 0;
        for (int i = 0; i < (2 * SearchGroup.MaxEmails) + 100; i++)
        {
            byte[] message = !odd ? Encoding.UTF8.GetBytes($"Subject: {Words(random, 5)}\r\n\r\n{Words(random, 100)}") : i < real.Length ? real[i] : Random(random, depth: 0);
            var email = new EmailId(bodies.Add(message).Value);
            texts.Add(await TextAsync(message, ContentParser.Parse(message)));
            for (int times = i % 50 == 7 ? 2 : 1; times > 0; times--)
                rows.Add(new MessageRow(++uid, email, (uint)message.Length, 0, 0, 0, new FlagList(0, []), uid, 1));
        }
        return (MailboxSnapshot.OfRows(1, uid, uid + 1, [.. rows]), bodies, texts);
    }

    /// <summary>A message of random parts in random charsets and encodings.</summary>
    private static byte[] Random(Random random, int depth)
    {
        using var message = new MemoryStream();
        message.Write(Encoding.UTF8.GetBytes($"From: {Words(random, 3)} <a{random.Next(50)}@b>\r\nSubject: {Subject(random)}\r\n"));
        WritePart(message, random, depth);
        return message.ToArray();
    }

    private static string Subject(Random random)
    {
        string text = Words(random, random.Next(12));
        return random.Next(3) switch
        {
            0 => $"=?utf-8?B?{Convert.ToBase64String(Encoding.UTF8.GetBytes(text))}?=",
            1 => $"=?utf-8?Q?{string.Concat(Encoding.UTF8.GetBytes(text).Select(static b => $"={b:X2}"))}?= =?iso-8859-1?Q?_caf=E9?=",
            _ => text,
        };
    }

    private static void WritePart(MemoryStream message, Random random, int depth)
    {
        void Line(string line) => message.Write(Encoding.ASCII.GetBytes(line + "\r\n"));
        switch (depth < 3 ? random.Next(6) : 0)
        {
            case 4:
                string boundary = $"b{depth}";
                Line($"Content-Type: multipart/mixed; boundary={boundary}");
                Line("");
                for (int parts = random.Next(3); parts >= 0; parts--)
                {
                    Line("--" + boundary);
                    WritePart(message, random, depth + 1);
                }
                Line($"--{boundary}--");
                break;
            case 5:
                Line("Content-Type: message/rfc822");
                Line("");
                message.Write(Random(random, depth + 1));
                break;
            default:
                string charset = Charsets[random.Next(Charsets.Length)];
                Line($"Content-Type: text/{(random.Next(2) == 0 ? "plain" : "html")}{(charset.Length > 0 ? "; charset=" + charset : "")}");
                Encoding encoding = charset is "x-nobody" or "" ? Encoding.UTF8 : Encoding.GetEncoding(charset);
                var text = new StringBuilder();
                // Now and then longer than what is decoded at a time, and than what is loaded whole.
                for (int words = random.Next(150) == 0 ? 4000 : random.Next(60); words > 0; words--)
                    text.Append(Words(random, random.Next(1, 7))).Append(random.Next(12) == 0 ? "\r\n" : " ");
                byte[] bytes = encoding.GetBytes(text.ToString());
                switch (random.Next(3))
                {
                    case 0:
                        Line("Content-Transfer-Encoding: base64\r\n");
                        Line(Convert.ToBase64String(bytes, Base64FormattingOptions.InsertLineBreaks));
                        break;
                    case 1:
                        Line("Content-Transfer-Encoding: quoted-printable\r\n");
                        for (int i = 0; i < bytes.Length; i++)
                            message.Write(Encoding.ASCII.GetBytes($"={bytes[i]:X2}{(i % 20 == 19 ? "=\r\n" : "")}"));
                        Line("");
                        break;
                    default:
                        Line("Content-Transfer-Encoding: 8bit\r\n");
                        message.Write(bytes);
                        Line("");
                        break;
                }
                break;
        }
    }

    private static async Task<string> TextAsync(byte[] message, MessageContent content)
    {
        var text = new TextBuffer();
        var bytes = new MessageBytes(default, message);
        MessageText.ReadHeaders(text, await MessageText.HeadersAsync(bytes, content, Stop));
        await MessageText.ReadBodyAsync(text, bytes, content.Root, mimeHeaders: true, Stop);
        return text.ToString();
    }
}
