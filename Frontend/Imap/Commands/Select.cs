using MailCluster.Cluster;
using MailCluster.Contracts;
using MailCluster.Imap.Responses;
using MailCluster.Imap.Session;
using MailCluster.Imap.Wire;

namespace MailCluster.Imap.Commands;

/// <summary>SELECT (RFC 9051 §6.3.2), with CONDSTORE and QRESYNC (RFC 7162 §3.1.8, §3.2.5), and ANNOTATE (RFC 5257 §4.2).</summary>
internal static class Select
{
    private const MailRights Changing = MailRights.Insert | MailRights.Expunge | MailRights.DeleteMessages | MailRights.Write | MailRights.Annotate;

    public static ValueTask<Completion> RunAsync(ImapSession session, Authenticated state, Command command) => OpenAsync(session, state, command, readOnly: false);

    /// <summary>SELECT and EXAMINE.</summary>
    public static async ValueTask<Completion> OpenAsync(ImapSession session, Authenticated state, Command command, bool readOnly)
    {
        SelectArguments arguments = command.Parse(SelectGrammar.Parse);
        ImapUser user = state.User;
        if (arguments.Annotate && session.Services.Annotations is null)
            return Completion.Bad("There are no annotations here");
        if (arguments.QResync is not null && !user.QResync)
            return Completion.Bad("ENABLE QRESYNC comes first");
        if (arguments.QResync is { KnownNumbers: not null } && user.UidOnly)
            return Completion.UidRequired;
        if (state is Selected)
        {
            // Whatever comes of this command, the mailbox before is closed; what follows is about the new one (RFC 9051 §7.1: CLOSED).
            session.State = state = new Authenticated(user);
            session.Reply.Status(null, "OK"u8, "CLOSED", "The mailbox before is closed");
        }
        MailResult<FoundMailbox> found = await session.FindAsync(user, arguments.Mailbox);
        if (found.Error is { } notFound)
            return notFound;
        MailboxKey key = found.Value!.Key;
        AccountId? viewer = found.Value.Named.Viewer;
        IMailboxGrain owner = session.Cluster.Mailbox(key);
        MailResult<MailboxSelected> selected = await session.Cluster.CallAsync(() => viewer is { } asking ? owner.SelectAs(readOnly, asking) : owner.Select(readOnly), session.Wait);
        if (selected.Error is { } error)
            return error;

        var mailbox = new SelectedMailbox(session.Cluster.Mailboxes.Open(key, selected.Value!.Epoch, selected.Value.Status.UidValidity, viewer, selected.Value.Foreign), selected.Value, readOnly, found.Value.NameIn(user.Names))
        {
            TellsAnnotations = arguments.Annotate,
        };
        var now = new Selected(user, mailbox);
        session.State = now;
        user.CondStore |= arguments.CondStore;
        UidSet vanished = UidSet.Empty;
        bool resync = arguments.QResync is { } known && known.UidValidity == mailbox.UidValidity && known.ModSeq < selected.Value!.Status.HighestModSeq;
        if (resync && await LoadAsync(session, mailbox, owner, arguments.QResync!) is { } answer)
        {
            if (answer.Error is { } notLoaded)
            {
                session.State = state;
                return notLoaded;
            }
            vanished = answer.Value!;
        }
        SelectResponses.Write(session.Reply, user, mailbox, found.Value.Named.Name);
        if (session.Services.Annotations is not null)
            AnnotationResponse.Limits(session.Reply, readOnly, session.Options.AnnotationOctets);
        if (resync)
            await ResyncAsync(session, now, arguments.QResync!, vanished);
        // Who may change nothing that others see has it read-only (RFC 4314 §5.2), and may still have seen what he reads.
        return Completion.Ok(readOnly || (selected.Value.Rights & Changing) == 0 ? "READ-ONLY" : "READ-WRITE");
    }

    /// <summary>Loads the rows, from which the whole answer is then made, and finds what the client does not know to be gone.</summary>
    private static async ValueTask<MailResult<UidSet>?> LoadAsync(ImapSession session, SelectedMailbox mailbox, IMailboxGrain owner, QResyncParameter known)
    {
        MailResult<MailboxSnapshot> rows = await mailbox.Open.SyncAsync(session.Wait);
        if (rows.Error is { } error)
            return error;
        mailbox.View = new MailboxView(rows.Value!);
        MailResult<UidSet> vanished = await session.Cluster.CallAsync(() => owner.Vanished(known.ModSeq), session.Wait);
        if (vanished.Error is not null)
            return vanished;
        UidSet gone = vanished.Value!.Intersect(KnownUids(known, mailbox));
        // What went after the rows were read is still counted by this answer, and told with the next.
        return gone.Except(UidSet.FromUids(mailbox.View.Messages.Messages(gone).Select(static m => m.Uid)));
    }

    /// <summary>VANISHED (EARLIER) and the flags that changed (RFC 7162 §3.2.5.1).</summary>
    private static async ValueTask ResyncAsync(ImapSession session, Selected now, QResyncParameter known, UidSet vanished)
    {
        SelectedMailbox mailbox = now.Mailbox;
        if (!vanished.IsEmpty)
            session.Reply.Untagged().Raw("VANISHED (EARLIER) "u8).Uids(vanished).NewLine();
        foreach (MessageRef message in mailbox.Messages.Messages.Messages(KnownUids(known, mailbox)))
        {
            if (message.ModSeq <= known.ModSeq)
                continue;
            FlagsResponse.Changed(session.Reply, now.User, mailbox, message, withUid: true);
            await session.FlushIfFullAsync();
        }
    }

    /// <summary>The UIDs that the client asks about: those it named, or all.</summary>
    private static UidSet KnownUids(QResyncParameter known, SelectedMailbox mailbox)
    {
        uint next = mailbox.Messages.Messages.UidNext;
        UidSet all = next > 1 ? UidSet.FromRanges([new UidRange(1, next - 1)]) : UidSet.Empty;
        return known.KnownUids is { } named
            ? all.Intersect(UidSet.FromRanges(named.Resolve(uint.MaxValue).Select(static r => new UidRange(r.Start, r.End))))
            : all;
    }
}
