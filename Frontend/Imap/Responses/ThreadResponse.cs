using MailCluster.Imap.Search;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>THREAD (RFC 5256 §4, §5). A parent with one child stands in one list with it; several children are lists of their own.</summary>
internal static class ThreadResponse
{
    /// <summary>In the stack: a list ends here.</summary>
    private const int End = -1;

    public static async ValueTask WriteAsync(ImapSession session, Command command, ThreadTree tree)
    {
        ReplyWriter reply = session.Reply;
        reply.Untagged().Raw("THREAD"u8);
        if (tree.Roots.Count > 0)
            reply.Space();
        // A stack of our own: threads may be deeper than the machine's.
        var open = new Stack<int>();
        foreach (int root in tree.Roots)
        {
            open.Push(root);
            while (open.TryPop(out int node))
            {
                if (node == End)
                {
                    reply.Close();
                    continue;
                }
                reply.Open();
                open.Push(End);
                Members(reply, command, tree, node, open);
                if (session.Connection.Output.ShouldFlush)
                    await session.FlushIfFullAsync();
            }
        }
        reply.NewLine();
    }

    /// <summary>A node and its descendants for as long as each has one child; several are left on the stack.</summary>
    private static void Members(ReplyWriter reply, Command command, ThreadTree tree, int node, Stack<int> open)
    {
        bool first = true;
        while (true)
        {
            if (tree[node] is { } message)
            {
                if (!first)
                    reply.Space();
                first = false;
                reply.Number(command.Uid ? message.Row.Uid : message.Row.Index + 1);
            }
            IReadOnlyList<int> children = tree.Children(node);
            if (children.Count != 1)
            {
                if (children.Count > 0 && !first)
                    reply.Space();
                for (int i = children.Count - 1; i >= 0; i--)
                    open.Push(children[i]);
                return;
            }
            node = children[0];
        }
    }
}
