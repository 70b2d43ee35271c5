using MailCluster.Benchmarks.Load;

namespace MailCluster.Benchmarks.Works;

/// <summary>The works, in the order in which they run: readers of large mailboxes come late, since filling one takes a while, and what restarts the servers comes last.</summary>
internal static class AllWorks
{
    public static readonly IReadOnlyList<Work> InOrder =
    [
        new LogIn("login", tls: false, "≥ 2.7"),
        new LogIn("login-tls", tls: true, "≥ 1, ≥ 3 × default"),
        new FirstLogIn(),
        new Reconnect(),
        new Mixed(),
        new Append("append-1", 4096, 1, own: true, "≥ 1.5"),
        new Append("append-8", 4096, 8, own: true, "≥ 2"),
        new Append("append-32", 4096, 32, own: true, "≥ 3, ≥ 0.75 × PostgreSQL"),
        new Append("append-one", 4096, 8, own: false, "≥ 4"),
        new Append("append-64k", 64 * 1024, 8, own: true, "≥ 0.8, ≥ 0.6 × PostgreSQL"),
        new Deliver(1, "≥ 4"),
        new Deliver(10, "cost < 3 × one"),
        new StoreFlags(1, "≥ 1.2 × maildir, ≥ 0.6 × PostgreSQL"),
        new StoreFlags(8, "≥ 1.2 × mdbox"),
        new Transfer(move: false, ""),
        new Transfer(move: true, ""),
        new SmallCommand("noop", "NOOP", "≤ 1.5"),
        new SmallCommand("status", "STATUS Other (MESSAGES UNSEEN UIDNEXT UIDVALIDITY)", "≤ 1"),
        new ListStatus(),
        new IdleLatency(),
        new CrowdedMailbox(1),
        new CrowdedMailbox(30),
        new CrowdedMailbox(1000),
        new SelectLarge(),
        new FetchFirst(),
        new FetchAll("fetch-flags", "FLAGS", "≤ 0.3"),
        new FetchAll("fetch-envelope", "(UID FLAGS ENVELOPE BODYSTRUCTURE)", "≤ 0.35"),
        new FetchAll("fetch-envelope-first", "(UID FLAGS ENVELOPE BODYSTRUCTURE)", "as warm", first: true),
        new FetchBodies("body-4k", 2000, 4096, "≥ 1"),
        new FetchBodies("body-1m", 20, 1 << 20, "≥ 1"),
        new FetchBodies("body-4k-uncached", 40_000, 4096, "≥ 0.5"),
        new FetchBodies("body-1m-uncached", 160, 1 << 20, "≥ 0.5"),
        new FetchCold("cold-4k", 10_000, 4096, "≥ 0.5"),
        new FetchCold("cold-1m", 100, 1 << 20, "≥ 0.5"),
        new Retrieve(),
        new SearchText("search-subject", $"SUBJECT {SampleMessages.Needle}", "SUBJECT of a word in 0.5 % of the mail", "≤ 0.5"),
        new SearchText("search-from", "FROM person77@", "FROM of 1 % of the mail", "≤ 0.5"),
        new SearchText("search-body", $"BODY {SampleMessages.Needle}", "BODY of a word in 0.5 % of the mail", "≤ 0.1"),
        new SearchText("search-body-part", $"BODY {SampleMessages.Needle[2..7]}", "BODY of a part of a word in 0.5 % of the mail", "≤ 0.1"),
        new SearchText("search-body-often", "BODY customers", "BODY of a word in most of the mail", "≤ 0.5"),
        new SearchText("search-text-short", "TEXT qz", "TEXT of two letters that no mail has", "≤ 1"),
        new LargeMailboxCommand("sort-subject", "SORT (SUBJECT) UTF-8 ALL", "≤ 2"),
        new LargeMailboxCommand("sort-from", "SORT (FROM REVERSE DATE) UTF-8 ALL", "≤ 2"),
        new LargeMailboxCommand("sort-arrival", "SORT (REVERSE ARRIVAL) UTF-8 ALL", "≤ 2"),
        new LargeMailboxCommand("thread-references", "THREAD REFERENCES UTF-8 ALL", "≤ 2"),
        new LargeMailboxCommand("thread-refs", "THREAD REFS UTF-8 ALL", "≤ 2"),
        new BesideBulk("beside-append", stores: false),
        new BesideBulk("beside-store", stores: true),
        new BesideBulk("beside-large-append", stores: false, large: true),
        new BesideBulk("beside-large-store", stores: true, large: true),
        new IdleMemory("idle-memory", tls: false, "≤ 20 KB"),
        new IdleMemory("idle-memory-tls", tls: true, "≤ 50 KB"),
        new IdleMemory("idle-memory-compressed", tls: true, "", compressed: true),
        new ActiveMailboxes(),
        new NodeMemory(),
    ];

    /// <summary>Those whose name is one of these, or begins with one and a '-'; all where none is named.</summary>
    /// <exception cref="ArgumentException">A name fits none.</exception>
    public static IReadOnlyList<Work> Named(IReadOnlyCollection<string> names)
    {
        foreach (string name in names)
        {
            if (!InOrder.Any(w => Fits(w, name)))
                throw new ArgumentException($"There is no work '{name}': --list tells which there are.");
        }
        return [.. InOrder.Where(w => names.Count == 0 || names.Any(n => Fits(w, n)))];
    }

    private static bool Fits(Work work, string name) => work.Name == name || work.Name.StartsWith(name + "-", StringComparison.Ordinal);
}
