using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>GETMETADATA (RFC 5464 §4.2). An entry that was asked for by its own name and does not exist is NIL.</summary>
internal static class GetMetadata
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        GetMetadataArguments arguments = command.Parse(MetadataGrammar.ParseGet);
        ImapUser user = state.User;
        NamedMailbox? named = null;
        if (arguments.Mailbox.Name.Length > 0)
        {
            MailResult<NamedMailbox> resolved = await session.ResolveAsync(user, arguments.Mailbox);
            if (resolved.Error is { } unknown)
                return unknown;
            named = resolved.Value;
        }
        var request = new MetadataRequest(named?.Path, user.Settings.Account, arguments.Entries, arguments.Depth, arguments.MaxSize);
        IAccountGrain owner = named?.Owner ?? user.Account;
        MailResult<IReadOnlyList<MetadataEntry>> found = await session.Cluster.CallAsync(() => owner.GetMetadata(request), session.Wait);
        if (found.Error is { } error)
            return error;
        var entries = new List<(string, byte[]?)>();
        long longest = 0;
        foreach (MetadataEntry entry in found.Value!)
        {
            if (entry.Value is null)
                longest = Math.Max(longest, entry.Size);
            else
                entries.Add((entry.Entry, entry.Value));
        }
        if (arguments.Depth == MetadataDepth.Zero)
            entries.AddRange(arguments.Entries.Where(asked => found.Value.All(e => e.Entry != asked)).Select(static asked => (asked, (byte[]?)null)));
        if (entries.Count > 0)
            MetadataResponse.Write(session.Reply, named?.Name ?? "", entries);
        return longest > 0 ? Completion.Ok($"METADATA LONGENTRIES {longest}") : Completion.Done;
    }
}
