using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>FETCH and UID FETCH (RFC 9051 §6.4.5, §6.4.9), with CHANGEDSINCE and VANISHED (RFC 7162 §3.1.4.1, §3.2.6).</summary>
internal static class Fetch
{
    public static async ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command)
    {
        FetchArguments arguments = command.Parse((ref ImapParser parser) => FetchGrammar.Parse(ref parser, command.Uid));
        if (arguments.Vanished && !state.User.QResync)
            return Completion.Bad("VANISHED needs ENABLE QRESYNC");
        // Of a range of places the client gets all or nothing (RFC 9738 §3.1).
        if (arguments.Places is { } places && MessageLimit.Refuse(session, places.Length) is { } tooMany)
            return tooMany;
        UidSet named = state.Mailbox.Resolve(arguments.Set, command.Uid);
        uint? lowest = null;
        if (arguments.Places is null)
            named = MessageLimit.Of(session, named, out lowest);
        if (arguments.Asks(FetchItem.Annotation))
        {
            if (session.Services.Annotations is null)
                return Completion.Bad("There are no annotations here");
            if (await MessageParts.RefuseAsync(session, state, arguments.Attributes.SelectMany(static a => a.Annotations?.Names ?? []), named) is { } bad)
                return bad;
        }
        if (arguments.ChangedSince is not null || arguments.Asks(FetchItem.ModSeq))
            session.EnableCondStore(state.User);
        if (arguments.Vanished && await TellVanishedAsync(session, state.Mailbox, arguments) is { } error)
            return error;
        return MessageLimit.Told(session, await new FetchRun(session, state, arguments, command.Uid) { NewestFirst = lowest is not null }.RunAsync(named), lowest);
    }

    /// <summary>Of the UIDs that the client names, those that were expunged since it looked last. Stands before the FETCH answers.</summary>
    private static async ValueTask<MailError?> TellVanishedAsync(ImapSession session, SelectedMailbox mailbox, FetchArguments arguments)
    {
        IMailboxGrain owner = session.Cluster.Mailbox(mailbox.Key);
        long since = arguments.ChangedSince!.Value;
        MailResult<UidSet> answer = await session.PatientAsync(
            session.Cluster.CallAsync(() => owner.Vanished(since), session.Wait), "Still looking for what vanished");
        if (answer.Error is { } error)
            return error;
        MailboxSnapshot messages = mailbox.Messages.Messages;
        // '*' reaches up to what may have been the last: its own expunge must be told as well.
        UidSet asked = arguments.Set.IsSavedResult ? mailbox.Saved : arguments.Set.ToUidSet(messages.UidNext - 1);
        UidSet vanished = answer.Value!.Intersect(asked);
        // What the client still counts vanishes for it only with the VANISHED that takes it from the count.
        vanished = vanished.Except(UidSet.FromUids(messages.Messages(vanished).Select(static m => m.Uid)));
        if (!vanished.IsEmpty)
            session.Reply.Untagged().Raw("VANISHED (EARLIER) "u8).Uids(vanished).NewLine();
        return null;
    }
}
