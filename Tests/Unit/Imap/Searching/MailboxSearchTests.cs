using CsCheck;
using MailCluster.Contracts;
using MailCluster.Imap.Search;
using MailCluster.Imap.Wire;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>However keys are nested, what is found is what a naive reading of them says.</summary>
public sealed class MailboxSearchTests
{
    private const int Count = 24;

    private static readonly string[] Words = ["alpha", "beta", "gamma"];
    private static readonly SystemFlags[] Flags = [SystemFlags.Seen, SystemFlags.Flagged, SystemFlags.Deleted];

    private static readonly (MailboxSnapshot Messages, FakeBodies Bodies) Mail = Make();

    private static readonly Gen<SearchKey> Leaves = Gen.OneOf<SearchKey>(
        Gen.Const<SearchKey>(SearchKey.All.Key),
        Gen.Int[0, 2].Select(static i => Flags[i]).Select(static f => (SearchKey)new SearchKey.HasFlag(f)),
        Gen.Int[1, Count + 5].Select(static n => (SearchKey)new SearchKey.Numbers(SequenceSet.Of(new SequenceRange((uint)n, SequenceRange.Star)))),
        Gen.Int[1, Count * 2].Select(static n => (SearchKey)new SearchKey.Uid(SequenceSet.Of(new SequenceRange(1, (uint)n)))),
        Gen.Int[0, 2].Select(static i => Words[i]).Select(static w => (SearchKey)new SearchKey.Header("Subject", w)),
        Gen.Int[0, 2].Select(static i => Words[i]).Select(static w => (SearchKey)new SearchKey.Body(w)),
        Gen.Int[0, 2].Select(static i => Words[i]).Select(static w => (SearchKey)new SearchKey.Text(w)));

    private static readonly Gen<SearchKey> Keys = Gen.Int[0, 5].SelectMany(Tree);

    [Fact]
    public void Nested_keys_find_what_they_say() => Keys.Sample(
        key =>
        {
            var compiler = new SearchCompiler(Mail.Messages, UidSet.Empty, UidSet.Empty, DateTimeOffset.UnixEpoch, Collation.Unicode);
            SearchFound found = new MailboxSearch(Mail.Bodies, new AccountId(1), compiler.Compile(key))
                .RunAsync(Mail.Messages, UidSet.Single(8), CancellationToken.None).AsTask().GetAwaiter().GetResult();
            return found.Uids.Equals(UidSet.FromUids(Mail.Messages.Messages().Where(m => m.Uid != 8 && Naive(key, m.Index + 1)).Select(static m => m.Uid)));
        },
        iter: 2000);

    [Fact]
    public async Task The_deepest_keys_that_the_grammar_lets_through_are_evaluated()
    {
        SearchKey key = new SearchKey.Text("alpha");
        for (int i = 0; i < SearchGrammar.MaxDepth; i++)
            key = i % 3 == 0 ? new SearchKey.Not(key) : i % 3 == 1 ? new SearchKey.Or(new SearchKey.Body("beta"), key) : new SearchKey.And([key, SearchKey.All.Key]);
        var compiler = new SearchCompiler(Mail.Messages, UidSet.Empty, UidSet.Empty, DateTimeOffset.UnixEpoch, Collation.Unicode);
        SearchFound found = await new MailboxSearch(Mail.Bodies, new AccountId(1), compiler.Compile(key))
            .RunAsync(Mail.Messages, UidSet.Empty, TestContext.Current.CancellationToken);
        Assert.Equal(Mail.Messages.Messages().Where(m => Naive(key, m.Index + 1)).Select(static m => m.Uid), found.Uids.Uids());
    }

    [Fact]
    public async Task A_message_that_went_meanwhile_is_not_found_by_anything_that_needs_it()
    {
        (MailboxSnapshot messages, FakeBodies bodies) = Make();
        bodies.Forget(messages[4].Email);
        var compiler = new SearchCompiler(messages, UidSet.Empty, UidSet.Empty, DateTimeOffset.UnixEpoch, Collation.Unicode);
        SearchTest test = compiler.Compile(new SearchKey.Not(new SearchKey.Text("nowhere")));
        SearchFound found = await new MailboxSearch(bodies, new AccountId(1), test).RunAsync(messages, UidSet.Empty, TestContext.Current.CancellationToken);
        Assert.Equal(Count - 1, found.Uids.Cardinality);
        Assert.False(found.Numbers.Contains(5));
    }

    private static Gen<SearchKey> Tree(int depth) => depth == 0
        ? Leaves
        : Gen.OneOf(
            Leaves,
            Tree(depth - 1).Select(static k => (SearchKey)new SearchKey.Not(k)),
            Gen.Select(Tree(depth - 1), Tree(depth - 1), static (a, b) => (SearchKey)new SearchKey.Or(a, b)),
            Tree(depth - 1).List[1, 3].Select(static keys => (SearchKey)new SearchKey.And(keys)));

    /// <summary>Message n has the subject words of bits 0 to 2 of n, and the body words of bits 1 to 3.</summary>
    private static bool Naive(SearchKey key, int number) => key switch
    {
        SearchKey.HasFlag flag => (FlagsOf(number) & flag.Flag) != 0,
        SearchKey.Numbers numbers => numbers.Set.Contains((uint)number, Count),
        SearchKey.Uid uid => uid.Set.Contains((uint)number * 2, Count * 2),
        SearchKey.Header header => Has(number, header.Value),
        SearchKey.Body body => Has(number >> 1, body.Value),
        SearchKey.Text text => Has(number, text.Value) || Has(number >> 1, text.Value),
        SearchKey.Not not => !Naive(not.Key, number),
        SearchKey.Or or => Naive(or.Left, number) || Naive(or.Right, number),
        SearchKey.And and => and.Keys.All(k => Naive(k, number)),
        _ => true,
    };

    private static bool Has(int bits, string word) => (bits >> Array.IndexOf(Words, word) & 1) != 0;

    private static string WordsOf(int bits) => string.Join(' ', Words.Where(w => Has(bits, w)));

    private static SystemFlags FlagsOf(int number) =>
        (number % 2 == 0 ? SystemFlags.Seen : 0) | (number % 3 == 0 ? SystemFlags.Flagged : 0) | (number % 7 == 0 ? SystemFlags.Deleted : 0);

    private static (MailboxSnapshot, FakeBodies) Make()
    {
        var bodies = new FakeBodies();
        MessageRow[] rows = [.. Enumerable.Range(1, Count).Select(n =>
        {
            byte[] body = System.Text.Encoding.ASCII.GetBytes($"Subject: {WordsOf(n).ToUpperInvariant()}\r\n\r\nthe {WordsOf(n >> 1)}\r\n");
            return new MessageRow((uint)n * 2, new EmailId(bodies.Add(body).Value), (uint)body.Length, 0, 0, 0, new FlagList(FlagsOf(n), []), n, 1);
        })];
        return (MailboxSnapshot.OfRows(1, Count, (Count * 2) + 1, rows), bodies);
    }
}
