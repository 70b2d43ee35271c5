namespace MailCluster.Imap.Search;

/// <summary>Step 1 of REFERENCES (RFC 5256 §4): who names whom as what came before. Messages come in the order of the mailbox.</summary>
/// <param name="messages">How many will come.</param>
internal sealed class ReferenceLinks(int messages)
{
    /// <summary>Generations that are looked at for a loop: no conversation has so many.</summary>
    private const int MaxGenerations = 10_000;

    private readonly Dictionary<UInt128, int> _nodes = new(messages);

    public ThreadTree Tree { get; } = new();

    /// <param name="id">Its Message-ID; 0 where it has none.</param>
    /// <param name="references">From the oldest to its parent.</param>
    public void Add(ThreadMessage message, UInt128 id, ReadOnlySpan<UInt128> references)
    {
        int? parent = null;
        foreach (UInt128 reference in references)
        {
            int node = NodeOf(reference);
            // A: what others have said of it before stays.
            if (parent is { } before && Tree.Parent(node) is null && !Tree.IsAtOrAbove(node, before, MaxGenerations))
                Tree.Link(before, node);
            parent = node;
        }
        int own = OwnNode(message, id);
        // B: what the message itself says of its parent counts more than what others have said.
        if (parent is not null && parent == Tree.Parent(own))
            return;
        Tree.Unlink(own);
        if (parent is { } last && !Tree.IsAtOrAbove(own, last, MaxGenerations))
            Tree.Link(last, own);
    }

    /// <summary>Of several messages with one identifier the first has it.</summary>
    private int OwnNode(ThreadMessage message, UInt128 id)
    {
        if (id == 0)
            return Tree.Add(message);
        int node = NodeOf(id);
        if (Tree[node] is not null)
            return Tree.Add(message);
        Tree.Fill(node, message);
        return node;
    }

    private int NodeOf(UInt128 id)
    {
        if (!_nodes.TryGetValue(id, out int node))
            _nodes[id] = node = Tree.Add(null);
        return node;
    }
}
