using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>
/// REPLACE and UID REPLACE (RFC 8508): as APPEND of one message, which takes the place of one of the selected mailbox; one change, or none. APPENDUID comes untagged, before the EXPUNGE or
/// VANISHED of the message that was replaced (§4.3).
/// </summary>
internal static class Replace
{
    public static ValueTask<Completion> RunAsync(ImapSession session, Selected state, Command command) =>
        Append.RunAsync(session, state, command, new ReplacedMessage(session, state, command.Uid));
}

/// <summary>The message whose place another takes.</summary>
internal sealed class ReplacedMessage(ImapSession session, Selected state, bool uid)
{
    private static readonly Completion Gone = Completion.No("EXPUNGEISSUED", "The message no longer exists");

    /// <summary>Null before <see cref="Find"/>.</summary>
    public uint? Uid { get; private set; }

    /// <summary>Its octets, which its replacement need not find room for.</summary>
    public long Size { get; private set; }

    /// <summary>Finds it among what the client knows; not null when it is not there.</summary>
    /// <exception cref="ImapSyntaxException">A message number above the last.</exception>
    public Completion? Find(uint named)
    {
        MailboxView view = state.Mailbox.Messages;
        UidSet found = view.Resolve(SequenceSet.Of(new SequenceRange(named, named)), uid, UidSet.Empty);
        if (found.IsEmpty)
            return Completion.No("NONEXISTENT", "There is no message of that UID");
        if (view.Ghosts.Contains(found[0].First) || !view.Messages.TryFind(found[0].First, out MessageRef message))
            return Gone;
        (Uid, Size) = (message.Uid, message.Size);
        return null;
    }

    /// <summary>Stores the new message and removes this one.</summary>
    /// <param name="name">Where to; looked for again where the mailbox has another name by now.</param>
    public async ValueTask<Completion> ReplaceAsync(MailboxArgument name, FoundMailbox target, NewMessage message)
    {
        OperationId operation = session.Cluster.NextOperation();
        MailResult<ReplaceResult> result = await CallAsync(operation, target, message);
        if (result.Error is { Code: MailErrorCode.MailboxGone or MailErrorCode.Renamed })
        {
            MailResult<FoundMailbox> again = await session.FindAppendTargetAsync(state.User, name, recall: false);
            if (again.Error is { } none)
                return none;
            target = again.Value!;
            result = await CallAsync(operation, target, message);
        }
        switch (result.Error)
        {
            case null:
                break;
            case { Code: MailErrorCode.MailboxGone or MailErrorCode.Renamed } error:
                return error with { Code = MailErrorCode.TryCreate };
            case { Code: MailErrorCode.MessageGone }:
                return Gone;
            case { } error:
                return error;
        }
        ReplaceResult replaced = result.Value!;
        ImapMetrics.Appended.Add(message.Size);
        Append.Added(session, target.Key.Mailbox, UidSet.Single(replaced.Uid), replaced.ModSeq);
        if (replaced.UidValidity != 0)
            session.Reply.Status(null, "OK"u8, $"APPENDUID {replaced.UidValidity} {replaced.Uid}", "The replacement is stored");
        return state.User.QResync ? Completion.DoneWithModSeq : Completion.Done;
    }

    private ValueTask<MailResult<ReplaceResult>> CallAsync(OperationId operation, FoundMailbox target, NewMessage message)
    {
        IMailboxGrain owner = session.Cluster.Mailbox(target.Key);
        var request = new ReplaceRequest(operation, state.User.Actor, message, state.Mailbox.Key, Uid!.Value, target.Info.Path);
        return session.PatientAsync(session.Cluster.ChangeAsync(() => owner.Replace(request), session.Wait), "Still storing");
    }
}
