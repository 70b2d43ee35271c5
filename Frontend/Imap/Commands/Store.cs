using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>STORE and UID STORE (RFC 9051 §6.4.6, §6.4.9), with UNCHANGEDSINCE (RFC 7162 §3.1.3); of flags, or of annotations (RFC 5257 §4.5).</summary>
internal static class Store
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        StoreArguments arguments = command.Parse(StoreGrammar.Parse);
        if (arguments.Annotations is not null && session.Services.Annotations is null)
            return Completion.Bad("There are no annotations here");
        SelectedMailbox mailbox = state.Mailbox;
        UidSet named = MessageLimit.Of(session, mailbox.Resolve(arguments.Set, command.Uid), out uint? lowest);
        UidSet ghosts = named.Intersect(mailbox.Messages.Ghosts);
        UidSet uids = named.Except(ghosts);
        if (arguments.Annotations is not null && await MessageParts.RefuseAsync(session, state, arguments.Annotations.Select(static a => a.Entry), uids) is { } bad)
            return bad;
        if (arguments.UnchangedSince is not null)
            session.EnableCondStore(state.User);

        UidSet modified = UidSet.Empty;
        if (!uids.IsEmpty)
        {
            HashSet<long>? annotated = arguments.Annotations is null ? null : [];
            MailResult<StoreResult> result = await session.PatientAsync(
                arguments.Annotations is { } values
                    ? session.Cluster.AnnotateAsync(mailbox.Key, state.User.Actor, uids, values, arguments.UnchangedSince, annotated!, session.Wait)
                    : session.Cluster.StoreAsync(mailbox.Key, state.User.Actor, uids, arguments.Mode, arguments.Flags, arguments.UnchangedSince, session.Wait),
                arguments.Annotations is null ? "Still storing flags" : "Still storing");
            if (result.Error is { } error)
                return error;
            modified = result.Value!.Modified;
            UidSet answer = arguments.Silent ? UidSet.Empty : uids.Except(modified);
            var own = new OwnStore(answer, result.Value.Changed, arguments.Mode, arguments.Flags, arguments.Silent) { Annotated = annotated };
            // It is stored, whether the answers can be told now or only later.
            await session.SyncAsync(state, new Telling(command.Uid, Expunged: false, own));
        }
        string? code = modified.IsEmpty ? null : "MODIFIED " + (command.Uid ? modified : mailbox.Messages.NumbersOf(modified));
        if (!ghosts.IsEmpty && !command.Uid)
            return MessageLimit.Told(session, Completion.No(code ?? "EXPUNGEISSUED", "Some of the messages no longer exist"), lowest);
        return MessageLimit.Told(session, Completion.Ok(code, modified.IsEmpty ? null : "Some messages were changed by others before"), lowest);
    }
}
