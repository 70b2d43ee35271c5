using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>SETMETADATA (RFC 5464 §4.3): all entries or none.</summary>
internal static class SetMetadata
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command)
    {
        SetMetadataArguments arguments = command.Parse(MetadataGrammar.ParseSet);
        ImapUser user = state.User;
        if (arguments.Entries.Any(static e => e.Value?.Length > MetadataLimits.MaxValue))
            return Completion.No($"METADATA MAXSIZE {MetadataLimits.MaxValue}", "The value is too large");
        if (arguments.Mailbox.Name.Length == 0 && arguments.Entries.FirstOrDefault(Filters.IsWrong) is { } filter)
            return Completion.No("CANNOT", $"{filter.Entry} is no search");
        NamedMailbox? named = null;
        if (arguments.Mailbox.Name.Length > 0)
        {
            MailResult<NamedMailbox> resolved = await session.ResolveAsync(user, arguments.Mailbox);
            if (resolved.Error is { } unknown)
                return unknown;
            named = resolved.Value;
        }
        var request = new SetMetadataRequest(named?.Path, user.Settings.Account, arguments.Entries);
        IAccountGrain owner = named?.Owner ?? user.Account;
        MailResult<Done> set = await session.Cluster.CallAsync(() => owner.SetMetadata(request), session.Wait);
        if (named?.Viewer is null && set.IsOk)
            await session.TellOwnAsync(n => n.OwnAnnotatedAsync(named?.Path, arguments.Entries, session.Wait));
        return set.Error is { } error ? error : Completion.Done;
    }
}
