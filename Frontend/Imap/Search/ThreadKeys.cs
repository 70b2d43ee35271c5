using MailCluster.Contracts;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Search;

/// <summary>
/// Puts UIDs in the place of the keys that are about threads (draft-ietf-morg-inthread §3): INTHREAD by a search of its own, from the inside out, and by the threads of all messages.
/// </summary>
/// <param name="find">Finds the messages of a key without any such.</param>
/// <param name="thread">The threads of all messages.</param>
internal sealed class ThreadKeys(Func<SearchKey, ValueTask<UidSet>> find, Func<ValueTask<ThreadTree>> thread)
{
    private ThreadTree? _tree;

    public static bool Occur(SearchKey key) => key is SearchKey.InThread or SearchKey.ThreadRoot or SearchKey.ThreadLeaf || key.Parts.Any(Occur);

    public async ValueTask<SearchKey> ResolveAsync(SearchKey key)
    {
        switch (key)
        {
            case SearchKey.Fuzzy { Key: SearchKey.InThread inner }:
                return await ResolveAsync(new SearchKey.InThread(new SearchKey.Fuzzy(inner.Key)));
            case SearchKey.InThread inThread:
                return Of(Around(await TreeAsync(), await find(await ResolveAsync(inThread.Key))));
            case SearchKey.ThreadRoot:
                return Of(Those(await TreeAsync(), static (tree, node) => tree.Parent(node) is not { } parent || tree[parent] is null));
            case SearchKey.ThreadLeaf:
                return Of(Those(await TreeAsync(), static (tree, node) => tree.Children(node).Count == 0));
            default:
                return await key.WithPartsAsync(ResolveAsync);
        }
    }

    private async ValueTask<ThreadTree> TreeAsync() => _tree ??= await thread();

    private static UidSet Those(ThreadTree tree, Func<ThreadTree, int, bool> which) =>
        UidSet.FromUids(Enumerable.Range(0, tree.Count).Where(node => tree[node] is not null && which(tree, node)).Select(node => tree[node]!.Row.Uid));

    /// <summary>All messages of the threads that have some of these.</summary>
    private static UidSet Around(ThreadTree tree, UidSet found)
    {
        var around = new List<uint>();
        var members = new List<uint>();
        var open = new Stack<int>();
        foreach (int root in tree.Roots)
        {
            members.Clear();
            open.Push(root);
            while (open.TryPop(out int node))
            {
                if (tree[node] is { } message)
                    members.Add(message.Row.Uid);
                foreach (int child in tree.Children(node))
                    open.Push(child);
            }
            if (members.Exists(found.Contains))
                around.AddRange(members);
        }
        return UidSet.FromUids(around);
    }

    /// <summary>These messages, and no others.</summary>
    internal static SearchKey Of(UidSet uids) => uids.IsEmpty
        ? new SearchKey.Not(SearchKey.All.Key)
        : new SearchKey.Uid(SequenceSet.Of([.. uids.Select(static r => new SequenceRange(r.First, r.Last))]));
}
