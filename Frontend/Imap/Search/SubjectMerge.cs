namespace MailCluster.Imap.Search;

/// <summary>Step 5 of REFERENCES (RFC 5256 §4): threads of one subject are one thread, for replies that name no message.</summary>
internal static class SubjectMerge
{
    public static void Apply(ThreadTree tree)
    {
        Dictionary<KeyText, int> table = Table(tree);
        var roots = new List<int>(tree.Roots.Count);
        var gone = new HashSet<int>();
        foreach (int current in tree.Roots)
        {
            KeyText subject = SubjectOf(tree, current);
            if (subject.IsEmpty || table[subject] == current)
            {
                roots.Add(current);
                continue;
            }
            int other = table[subject];
            if (tree[other] is null && tree[current] is null)
            {
                foreach (int child in tree.Children(current).ToArray())
                {
                    tree.Unlink(child);
                    tree.Link(other, child);
                }
            }
            else if (tree[other] is null || (IsReply(tree, current) && !IsReply(tree, other)))
            {
                tree.Link(other, current);
            }
            else
            {
                int dummy = tree.Add(null);
                tree.Link(dummy, other);
                tree.Link(dummy, current);
                gone.Add(other);
                roots.Add(table[subject] = dummy);
            }
        }
        tree.ReplaceRoots(roots.Where(r => !gone.Contains(r)));
    }

    /// <summary>For each subject the thread that others of it join: a dummy rather than a message, a bare subject rather than a reply.</summary>
    private static Dictionary<KeyText, int> Table(ThreadTree tree)
    {
        var table = new Dictionary<KeyText, int>();
        foreach (int root in tree.Roots)
        {
            KeyText subject = SubjectOf(tree, root);
            if (!subject.IsEmpty && !table.TryAdd(subject, root) && tree[table[subject]] is { } known
                && (tree[root] is not { } message || (known.IsReplyOrForward && !message.IsReplyOrForward)))
                table[subject] = root;
        }
        return table;
    }

    private static KeyText SubjectOf(ThreadTree tree, int root) => (tree[root] ?? tree[tree.Children(root)[0]])!.Subject;

    private static bool IsReply(ThreadTree tree, int node) => tree[node] is { IsReplyOrForward: true };
}
