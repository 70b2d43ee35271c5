using MailCluster.Contracts;
using MailCluster.Imap.Search;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Responses;

/// <summary>ESEARCH with ADDTO and REMOVEFROM (RFC 5267 §4.3.2), and NOUPDATE.</summary>
internal static class ContextResponse
{
    /// <param name="messages">Where message numbers come from.</param>
    public static void Write(ReplyWriter reply, ContextChange change, MailboxSnapshot messages)
    {
        SearchContext context = change.Context;
        reply.Untagged().Raw("ESEARCH (TAG "u8).String(context.Tag).Close();
        if (context.Uid)
            reply.Raw(" UID"u8);
        bool? open = null;
        foreach (ContextStep step in change.Steps)
        {
            if (open == step.Added)
                reply.Space();
            else
            {
                if (open is not null)
                    reply.Close();
                reply.Raw(step.Added ? " ADDTO ("u8 : " REMOVEFROM ("u8);
                open = step.Added;
            }
            ResultList results = Of(step, context.Uid, messages);
            reply.Number(step.Place).Space();
            results.Write(reply, 0, results.Count);
        }
        reply.Close().NewLine();
    }

    /// <summary>The changes of a search are not, or no more, told (RFC 5267 §4.3.1).</summary>
    public static void NoUpdate(ReplyWriter reply, string tag, string why) => reply.Status(null, "NO"u8, $"NOUPDATE \"{tag}\"", why);

    private static ResultList Of(ContextStep step, bool uid, MailboxSnapshot messages)
    {
        if (step.Place > 0)
            return ResultList.Of(uid ? [.. step.Ordered] : [.. step.Ordered.Select(Number)]);
        if (uid)
            return ResultList.Of(step.Uids);
        var numbers = new UidSet.Builder();
        foreach (MessageRef message in messages.Messages(step.Uids))
            numbers.Add((uint)message.Index + 1);
        return ResultList.Of(numbers.ToSet());

        uint Number(uint one) => messages.TryFind(one, out MessageRef message) ? (uint)message.Index + 1 : throw new InvalidOperationException("A result is not in the view.");
    }
}
