using System.Text;
using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>
/// LIST (RFC 9051 §6.3.9), with the selection and return options of RFC 5258, SPECIAL-USE (RFC 6154), STATUS (RFC 5819) and METADATA (RFC 9590). Children and special uses
/// are told unasked; with STATUS it is still one query, whatever the number of mailboxes.
/// </summary>
internal static class List
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        ListArguments arguments = command.Parse(ListGrammar.Parse);
        ImapUser user = state.User;
        if (!arguments.Extended && arguments.Patterns is [{ Name: "" }])
        {
            // The plain form with an empty pattern asks for the delimiter and the root of the reference.
            session.Reply.Untagged().Raw("LIST (\\Noselect) "u8).Delimiter(user.Names).Raw(" \"\""u8).NewLine();
            return Completion.Done;
        }
        if (ListPatterns.Of(arguments, user.Names) is not { } patterns)
            return Completion.Bad("A pattern is too long");
        bool withStatus = arguments.Return.HasFlag(ListReturn.Status);
        MailResult<MailboxTree> tree = await session.Cluster.CallAsync(() => withStatus && arguments.Status.HasFlag(StatusItems.DeletedStorage)
            ? user.Account.ListWith(new ListRequest(true, DeletedBytes: true)) : user.Account.List(withStatus), session.Wait);
        if (tree.Error is { } error)
            return error;
        MailResult<SharedTree?> shared = await SharedAsync(session, user, patterns, new ListRequest(withStatus, arguments.Status.HasFlag(StatusItems.DeletedStorage)));
        if (shared.Error is { } notShared)
            return notShared;
        ILookup<MailboxKey, MailboxMetadata>? annotations = null;
        if (arguments.Return.HasFlag(ListReturn.Metadata))
        {
            MailResult<IReadOnlyList<MailboxMetadata>> read = await session.Cluster.CallAsync(() => user.Account.ListMetadata(arguments.Metadata), session.Wait);
            if (read.Error is { } unread)
                return unread;
            annotations = read.Value!.ToLookup(static m => m.Mailbox);
        }
        if (withStatus && arguments.Status.HasFlag(StatusItems.HighestModSeq))
            session.EnableCondStore(user);

        foreach (ListedMailbox mailbox in ListedMailbox.Of(tree.Value!, shared.Value, user))
        {
            bool selected = IsSelected(mailbox, arguments.Selection);
            bool parent = arguments.Selection.HasFlag(ListSelection.RecursiveMatch) && mailbox.Below.Any(below => IsSelected(below, arguments.Selection));
            if (!(selected || parent) || !patterns.Matches(mailbox.OnWire.ToString(user.Names.Delimiter)))
                continue;
            Write(session.Reply, user, mailbox, arguments, parent);
            string name = mailbox.OnWire.ToString(user.Names.Delimiter);
            if (arguments.Return.HasFlag(ListReturn.MyRights) && selected && mailbox.Info is { Selectable: true } known)
                session.Reply.Untagged().Raw("MYRIGHTS "u8).Mailbox(name).Space().AString(known.Rights.ToLetters()).NewLine();
            if (withStatus && mailbox.Info is { Selectable: true, Status: { } status })
                StatusResponse.Write(session.Reply, user, session.Options, name, arguments.Status, status);
            if (annotations is not null && selected && mailbox.Info is { Selectable: true } info)
                MetadataResponse.Write(session.Reply, name, arguments.Metadata.Select(entry => (entry, ValueOf(annotations, mailbox.Account, info, entry))));
            await session.FlushIfFullAsync();
        }
        return Completion.Done;
    }

    /// <summary>The mailboxes of others that the patterns may match; null where there are none to ask for.</summary>
    public static async ValueTask<MailResult<SharedTree?>> SharedAsync(ImapSession session, ImapUser user, ListPatterns patterns, ListRequest request)
    {
        if (!user.Settings.Shares || !(patterns.MayMatchBelow(user.Names.OtherUsers) || patterns.MayMatchBelow(user.Names.SharedFolders)))
            return default(MailResult<SharedTree?>);
        MailResult<SharedTree> tree = await session.Cluster.CallAsync(() => user.Account.ListShared(request), session.Wait);
        if (tree.Error is { } error)
            return error;
        return tree.Value!;
    }

    private static byte[]? ValueOf(ILookup<MailboxKey, MailboxMetadata> annotations, AccountId account, MailboxInfo info, string entry) =>
        entry == MetadataLimits.SpecialUse
            ? info.SpecialUse.Count > 0 ? Encoding.ASCII.GetBytes(string.Join(' ', info.SpecialUse)) : null
            : annotations[new MailboxKey(account, info.Id)].FirstOrDefault(a => a.Entry == entry)?.Value;

    private static bool IsSelected(ListedMailbox mailbox, ListSelection selection) =>
        (!selection.HasFlag(ListSelection.Subscribed) || mailbox.Subscribed)
        && (!selection.HasFlag(ListSelection.SpecialUse) || mailbox.Info is { SpecialUse.Count: > 0 })
        // Without an option to the contrary only names that exist, or have something below them that does.
        && (selection.HasFlag(ListSelection.Subscribed) || mailbox.Info is not null || mailbox.HasChildren);

    private static void Write(ReplyWriter reply, ImapUser user, ListedMailbox mailbox, ListArguments arguments, bool parent)
    {
        reply.Untagged().Raw("LIST ("u8);
        // \NonExistent came with RFC 5258; who sends the old command gets the old word (RFC 3501 §7.2.2).
        if (mailbox.Info is not { Selectable: true })
            reply.Raw(user.Rev2 || arguments.Extended ? "\\NonExistent "u8 : "\\Noselect "u8);
        bool subscribed = (arguments.Selection & ListSelection.Subscribed) != 0 || (arguments.Return & ListReturn.Subscribed) != 0;
        if (subscribed && mailbox.Subscribed)
            reply.Raw("\\Subscribed "u8);
        reply.Raw(mailbox.HasChildren ? "\\HasChildren"u8 : "\\HasNoChildren"u8);
        foreach (string use in mailbox.Info?.SpecialUse ?? [])
            reply.Space().Raw(use);
        reply.Raw(") "u8).Delimiter(user.Names).Space().Mailbox(mailbox.OnWire.ToString(user.Names.Delimiter));
        if (parent)
        {
            reply.Raw(" (\"CHILDINFO\" ("u8);
            if (arguments.Selection.HasFlag(ListSelection.Subscribed))
                reply.Raw(arguments.Selection.HasFlag(ListSelection.SpecialUse) ? "\"SUBSCRIBED\" \"SPECIAL-USE\""u8 : "\"SUBSCRIBED\""u8);
            else
                reply.Raw("\"SPECIAL-USE\""u8);
            reply.Raw("))"u8);
        }
        reply.NewLine();
    }
}

/// <summary>The reference and patterns of one LIST.</summary>
internal sealed class ListPatterns(IReadOnlyList<ListPattern> patterns)
{
    /// <summary>False: no pattern matches a name with this prefix, or its first levels.</summary>
    public bool MayMatchBelow(string prefix) => prefix.Length > 0 && patterns.Any(pattern => pattern.MayMatchBelow(prefix));

    public bool Matches(string name) => patterns.Any(pattern => pattern.Matches(name));

    /// <summary>The reference is put in front of each pattern; null where one is too long.</summary>
    public static ListPatterns? Of(ListArguments arguments, MailboxNames names)
    {
        var patterns = new List<ListPattern>();
        foreach (MailboxArgument pattern in arguments.Patterns)
        {
            string text = arguments.Reference.Name + pattern.Name;
            if (text.Length > ListPattern.MaxLength)
                return null;
            patterns.Add(new ListPattern(text, names.Delimiter));
        }
        return new ListPatterns(patterns);
    }
}
