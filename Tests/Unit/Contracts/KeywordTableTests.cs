using CsCheck;
using MailCluster.Contracts;
using Xunit;

namespace MailCluster.Tests.Unit.Contracts;

public sealed class KeywordTableTests
{
    private static readonly string[] _names = ["a", "A", "b", "$Junk", "$JUNK", "later"];

    private static readonly Gen<string[]> _set = Gen.Int[0, 5].Select(static i => _names[i]).Array[0, 4];

    [Fact]
    public void Later_tables_read_the_codes_of_earlier_ones_and_keep_the_case_first_seen() => _set.Array[1, 20].Sample(static sets =>
    {
        KeywordTable table = KeywordTable.Empty;
        var firstSeen = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var given = new List<(int Set, string[] Keywords)>();
        foreach (string[] set in sets)
        {
            foreach (string k in set.Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase))
                firstSeen.TryAdd(k, k);
            (table, int number) = table.Intern(set);
            given.Add((number, [.. set.Select(k => firstSeen[k]).Distinct().Order(StringComparer.OrdinalIgnoreCase)]));
        }
        foreach ((int number, string[] keywords) in given)
        {
            Assert.Equal(keywords, table.Keywords(number));
            Assert.All(keywords, k => Assert.True(table.Has(number, k.ToUpperInvariant())));
            Assert.False(table.Has(number, "none"));
        }
        // Equal combinations are one number.
        Assert.Equal(given.Select(static g => string.Join(' ', g.Keywords)).Distinct().Count(), given.Select(static g => g.Set).Distinct().Count());
        Assert.Equal(firstSeen.Values.Order(StringComparer.OrdinalIgnoreCase), table.All());
    });

    [Fact]
    public void Two_tables_that_grow_from_one_do_not_see_each_other()
    {
        (KeywordTable root, int a) = KeywordTable.Empty.Intern(["a"]);
        (KeywordTable left, int b) = root.Intern(["b"]);
        (KeywordTable right, int c) = root.Intern(["c"]);
        Assert.Equal(b, c);
        Assert.Equal(["b"], left.Keywords(b));
        Assert.Equal(["c"], right.Keywords(c));
        Assert.Equal(["a"], right.Keywords(a));
        Assert.Equal(["a"], root.All());
        Assert.Throws<ArgumentOutOfRangeException>(() => root.Keywords(b));
        (KeywordTable same, int d) = root.Intern(["B"]);
        Assert.Equal(["b"], same.Keywords(d));
        Assert.Equal(1, KeywordTable.Empty.Count);
    }

    [Fact]
    public void Store_modes()
    {
        (KeywordTable table, int ab) = KeywordTable.Empty.Intern(["a", "b"]);
        (KeywordTable added, int abc) = table.Change(ab, StoreMode.Add, ["c", "A"]);
        Assert.Equal(["a", "b", "c"], added.Keywords(abc));
        (KeywordTable removed, int b) = added.Change(abc, StoreMode.Remove, ["A", "C", "x"]);
        Assert.Equal(["b"], removed.Keywords(b));
        Assert.Equal(["a", "b"], table.Change(ab, StoreMode.Replace, ["B", "a"]).Table.Keywords(ab));
        Assert.Equal(0, table.Change(ab, StoreMode.Replace, []).Set);
        Assert.Equal((table, ab), table.Change(ab, StoreMode.Add, ["B"]));
    }

    [Fact]
    public void Many_combinations_cost_what_they_are()
    {
        KeywordTable table = KeywordTable.Empty;
        var earlier = new List<(KeywordTable Table, int Set)>();
        for (int i = 0; i < 100_000; i++)
        {
            (table, int set) = table.Intern([$"k{i % 1000}", $"x{i / 1000}"]);
            if (i % 10_000 == 0)
                earlier.Add((table, set));
        }
        Assert.Equal(100_001, table.Count);
        Assert.All(earlier, e => Assert.Equal(e.Table.Keywords(e.Set), table.Keywords(e.Set)));
    }
}
