using MailCluster.Contracts;

namespace MailCluster.Imap.Search;

/// <summary>
/// Messages in threads: what REFERENCES calls containers (RFC 5256 §4). A node is a message, or a dummy that holds together what has lost, or never had, its
/// parent. No method recurses: a thread may be as deep as it is long.
/// </summary>
internal sealed class ThreadTree
{
    private readonly List<Node> _nodes = [];

    /// <summary>The nodes without a parent.</summary>
    public List<int> Roots { get; private set; } = [];

    /// <summary>What a node stands for; null: a dummy.</summary>
    public ThreadMessage? this[int node] => _nodes[node].Message;

    public int Count => _nodes.Count;

    public int Add(ThreadMessage? message)
    {
        _nodes.Add(new Node { Message = message });
        return _nodes.Count - 1;
    }

    /// <summary>A node that was only spoken of has come.</summary>
    public void Fill(int node, ThreadMessage message) => _nodes[node].Message = message;

    public int? Parent(int node) => _nodes[node].Parent is >= 0 and var parent ? parent : null;

    public IReadOnlyList<int> Children(int node) => _nodes[node].Children ?? (IReadOnlyList<int>)[];

    /// <summary>Makes a node a child of another; it has no parent.</summary>
    public void Link(int parent, int child)
    {
        _nodes[child].Parent = parent;
        (_nodes[parent].Children ??= []).Add(child);
    }

    /// <summary>Takes a node from its parent.</summary>
    public void Unlink(int child)
    {
        if (Parent(child) is not { } parent)
            return;
        _nodes[parent].Children!.Remove(child);
        _nodes[child].Parent = -1;
    }

    /// <summary>True when <paramref name="node"/> is <paramref name="below"/> or above it.</summary>
    /// <param name="maxSteps">How far is looked; beyond it the answer is true, so that no chain costs more than that.</param>
    public bool IsAtOrAbove(int node, int below, int maxSteps)
    {
        // What has no children is above nothing: so it is with nearly every message that comes.
        if (node != below && _nodes[node].Children is null or { Count: 0 })
            return false;
        for (int at = below; at >= 0; at = _nodes[at].Parent)
        {
            if (at == node || maxSteps-- == 0)
                return true;
        }
        return false;
    }

    /// <summary>Step 2: what has no parent.</summary>
    public void FindRoots() => Roots = [.. Enumerable.Range(0, _nodes.Count).Where(n => _nodes[n].Parent < 0)];

    /// <summary>Step 3: dummies go, their children take their place; only at the root one stays that has several.</summary>
    public void Prune()
    {
        List<int> order = TopDown();
        for (int i = order.Count - 1; i >= 0; i--)
        {
            if (_nodes[order[i]].Children is { } children && children.Exists(c => _nodes[c].Message is null))
            {
                _nodes[order[i]].Children = [];
                foreach (int child in children.SelectMany(WithoutDummy))
                    Link(order[i], child);
            }
        }
        Roots = [.. Roots.SelectMany(r => Children(r).Count < 2 ? WithoutDummy(r) : [r])];
        foreach (int root in Roots)
            _nodes[root].Parent = -1;
    }

    private IReadOnlyList<int> WithoutDummy(int node) => _nodes[node].Message is null ? Children(node) : [node];

    /// <summary>Steps 4 and 6: siblings by date; a dummy has that of its first child. At equal dates, the order of the mailbox.</summary>
    /// <param name="newest">The roots by the newest message below each instead.</param>
    public void Sort(bool newest = false)
    {
        List<int> order = TopDown();
        for (int i = order.Count - 1; i >= 0; i--)
        {
            Node node = _nodes[order[i]];
            node.Children?.Sort(ByDate);
            if (node.Message is { } message)
                (node.Date, node.Place) = (message.Date, message.Row.Index);
            else if (node.Children is { Count: > 0 } children)
                (node.Date, node.Place) = (_nodes[children[0]].Date, _nodes[children[0]].Place);
            node.Newest = node.Children is { Count: > 0 } below ? Math.Max(node.Date, below.Max(c => _nodes[c].Newest)) : node.Date;
        }
        Roots.Sort(newest ? ByNewest : ByDate);
    }

    /// <summary>Takes roots away, and adds others.</summary>
    public void ReplaceRoots(IEnumerable<int> roots) => Roots = [.. roots];

    private int ByDate(int left, int right)
    {
        (Node a, Node b) = (_nodes[left], _nodes[right]);
        return a.Date != b.Date ? a.Date.CompareTo(b.Date) : a.Place.CompareTo(b.Place);
    }

    private int ByNewest(int left, int right) =>
        _nodes[left].Newest != _nodes[right].Newest ? _nodes[left].Newest.CompareTo(_nodes[right].Newest) : ByDate(left, right);

    /// <summary>All nodes below the root, each after its parent.</summary>
    private List<int> TopDown()
    {
        List<int> order = [.. Roots];
        for (int i = 0; i < order.Count; i++)
        {
            if (_nodes[order[i]].Children is { } children)
                order.AddRange(children);
        }
        return order;
    }

    private sealed class Node
    {
        public ThreadMessage? Message;
        public int Parent = -1;
        public List<int>? Children;
        public long Date;
        public int Place;
        public long Newest;
    }
}

/// <summary>A message as THREAD sees it.</summary>
/// <param name="Date">In seconds since 1970: sent or received, as the algorithm has it.</param>
/// <param name="Subject">The base subject, collated; empty where the algorithm has no use for it.</param>
/// <param name="IsReplyOrForward">The subject was not bare.</param>
internal sealed record ThreadMessage(MessageRef Row, long Date, KeyText Subject, bool IsReplyOrForward);
