namespace MailCluster.Imap.Wire;

/// <summary>Events of NOTIFY (RFC 5465 §5).</summary>
[Flags]
public enum NotifyEvents
{
    None = 0,
    MessageNew = 1,
    MessageExpunge = 2,
    FlagChange = 4,
    AnnotationChange = 8,
    MailboxName = 16,
    SubscriptionChange = 32,
    MailboxMetadataChange = 64,
    ServerMetadataChange = 128,

    /// <summary>Those of messages, the only ones of the selected mailbox.</summary>
    Messages = MessageNew | MessageExpunge | FlagChange | AnnotationChange,
}

/// <summary>Which mailboxes a group of events is about (RFC 5465 §6).</summary>
public enum NotifyFilter
{
    Selected,
    SelectedDelayed,
    Inboxes,
    Personal,
    Subscribed,

    /// <summary>The named mailboxes and all below them.</summary>
    Subtree,
    Mailboxes,
}

/// <param name="Names">For the last two filters only.</param>
/// <param name="Events">None for NONE.</param>
/// <param name="Fetch">What is fetched of new messages of the selected mailbox; null for nothing.</param>
public sealed record NotifyGroup(NotifyFilter Filter, IReadOnlyList<MailboxArgument> Names, NotifyEvents Events, IReadOnlyList<FetchAttribute>? Fetch);

/// <summary>The arguments of NOTIFY.</summary>
/// <param name="Groups">None for NOTIFY NONE.</param>
/// <param name="Status">The counters of all mailboxes are told first.</param>
/// <param name="UnknownEvent">An event was named that is not known: NO [BADEVENT].</param>
public sealed record NotifyArguments(IReadOnlyList<NotifyGroup> Groups, bool Status, bool UnknownEvent);

/// <summary>NOTIFY (RFC 5465 §8). The parentheses around a group's events may be missing, as in that RFC's examples.</summary>
public static class NotifyGrammar
{
    const int MaxGroups = 100;

    public static NotifyArguments Parse(ref ImapParser parser)
    {
        if (parser.TryWord("NONE"u8))
        {
            parser.End();
            return new([], false, false);
        }
        if (!parser.TryWord("SET"u8))
        {
            ImapParser.Fail("Expected SET or NONE");
        }
        parser.Space();
        var status = parser.TryWord("STATUS"u8);
        if (status)
        {
            parser.Space();
        }
        List<NotifyGroup> groups = [];
        var unknown = false;
        do
        {
            if (groups.Count == MaxGroups)
            {
                ImapParser.Fail("NOTIFY has too many groups");
            }
            if (groups.Count > 0)
            {
                parser.Space();
            }
            groups.Add(Group(ref parser, ref unknown));
        }
        while (!parser.OnlySpacesLeft);
        parser.End();
        if (groups.Count(static g => g.Filter <= NotifyFilter.SelectedDelayed) > 1)
        {
            ImapParser.Fail("SELECTED and SELECTED-DELAYED stand once");
        }
        return new(groups, status, unknown);
    }

    static NotifyGroup Group(ref ImapParser parser, ref bool unknown)
    {
        parser.OpenList();
        var filter = parser.Word("mailboxes") switch
        {
            "SELECTED" => NotifyFilter.Selected,
            "SELECTED-DELAYED" => NotifyFilter.SelectedDelayed,
            "INBOXES" => NotifyFilter.Inboxes,
            "PERSONAL" => NotifyFilter.Personal,
            "SUBSCRIBED" => NotifyFilter.Subscribed,
            "SUBTREE" => NotifyFilter.Subtree,
            "MAILBOXES" => NotifyFilter.Mailboxes,
            _ => throw new ImapSyntaxException("NOTIFY does not know such mailboxes"),
        };
        parser.Space();
        IReadOnlyList<MailboxArgument> names = [];
        if (filter >= NotifyFilter.Subtree)
        {
            names = Names(ref parser);
            parser.Space();
        }
        var events = NotifyEvents.None;
        IReadOnlyList<FetchAttribute>? fetch = null;
        if (parser.TryWord("NONE"u8))
        {
            parser.Skip((byte)')', ")");
        }
        else
        {
            var inner = parser.TrySkip((byte)'(');
            Events(ref parser, ref events, ref fetch, ref unknown);
            if (inner)
            {
                parser.Skip((byte)')', ")");
            }
        }
        Check(filter, events);
        return new(filter, names, events, fetch);
    }

    /// <summary>The events, up to a closing parenthesis, which is consumed.</summary>
    static void Events(ref ImapParser parser, ref NotifyEvents events, ref IReadOnlyList<FetchAttribute>? fetch, ref bool unknown)
    {
        while (true)
        {
            var one = parser.UpperAtom("an event") switch
            {
                "MESSAGENEW" => NotifyEvents.MessageNew,
                "MESSAGEEXPUNGE" => NotifyEvents.MessageExpunge,
                "FLAGCHANGE" => NotifyEvents.FlagChange,
                "ANNOTATIONCHANGE" => NotifyEvents.AnnotationChange,
                "MAILBOXNAME" => NotifyEvents.MailboxName,
                "SUBSCRIPTIONCHANGE" => NotifyEvents.SubscriptionChange,
                "MAILBOXMETADATACHANGE" => NotifyEvents.MailboxMetadataChange,
                "SERVERMETADATACHANGE" => NotifyEvents.ServerMetadataChange,
                _ => NotifyEvents.None,
            };
            events |= one;
            unknown |= one == NotifyEvents.None;
            if (parser.TrySkip((byte)')'))
            {
                return;
            }
            parser.Space();
            if (one == NotifyEvents.MessageNew && parser.Next == '(')
            {
                fetch = FetchGrammar.List(ref parser);
                if (parser.TrySkip((byte)')'))
                {
                    return;
                }
                parser.Space();
            }
        }
    }

    /// <summary>What the RFC answers with BAD (§5, §6.1).</summary>
    static void Check(NotifyFilter filter, NotifyEvents events)
    {
        const NotifyEvents Both = NotifyEvents.MessageNew | NotifyEvents.MessageExpunge;
        if ((events & Both) is not (NotifyEvents.None or Both))
        {
            ImapParser.Fail("MessageNew and MessageExpunge go together");
        }
        if ((events & (NotifyEvents.FlagChange | NotifyEvents.AnnotationChange)) != 0 && (events & Both) == 0)
        {
            ImapParser.Fail("FlagChange and AnnotationChange need MessageNew and MessageExpunge");
        }
        if (filter <= NotifyFilter.SelectedDelayed && (events & ~NotifyEvents.Messages) != 0)
        {
            ImapParser.Fail("The selected mailbox has events of messages only");
        }
    }

    static List<MailboxArgument> Names(ref ImapParser parser)
    {
        if (!parser.TrySkip((byte)'('))
        {
            return [parser.Mailbox()];
        }
        List<MailboxArgument> names = [];
        do
        {
            names.Add(parser.Mailbox());
        }
        while (parser.NextInList());
        return names;
    }
}
