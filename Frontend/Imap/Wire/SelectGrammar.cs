namespace MailCluster.Imap.Wire;

/// <summary>The QRESYNC parameter of SELECT and EXAMINE (RFC 7162 §3.2.5): what the client remembers of the mailbox.</summary>
/// <param name="UidValidity">Of the client's copy.</param>
/// <param name="ModSeq">The last HIGHESTMODSEQ it knows, at least 1.</param>
/// <param name="KnownUids">UIDs it has; null for all below the mailbox's UIDNEXT.</param>
/// <param name="KnownNumbers">Sample of message numbers, ascending; paired with <paramref name="KnownNumberUids"/>; null where not given.</param>
/// <param name="KnownNumberUids">The UIDs of those numbers, ascending.</param>
public sealed record QResyncParameter(
    uint UidValidity, long ModSeq, SequenceSet? KnownUids, SequenceSet? KnownNumbers, SequenceSet? KnownNumberUids);

/// <param name="Annotate">Changes of annotations are told (RFC 5257 §4.2).</param>
public sealed record SelectArguments(MailboxArgument Mailbox, bool CondStore, QResyncParameter? QResync, bool Annotate = false);

/// <summary>SELECT and EXAMINE (RFC 9051 §6.3.2, RFC 4466, RFC 5257, RFC 7162).</summary>
public static class SelectGrammar
{
    public static SelectArguments Parse(ref ImapParser parser)
    {
        var mailbox = parser.Mailbox();
        var condStore = false;
        var annotate = false;
        QResyncParameter? qresync = null;
        if (!parser.OnlySpacesLeft)
        {
            parser.Space();
            parser.OpenList();
            do
            {
                switch (parser.Word("a SELECT parameter"))
                {
                    case "CONDSTORE":
                        condStore = true;
                        break;
                    case "ANNOTATE":
                        annotate = true;
                        break;
                    case "QRESYNC":
                        parser.Space();
                        qresync = QResync(ref parser);
                        break;
                    default:
                        ImapParser.Fail("Unknown SELECT parameter");
                        break;
                }
            }
            while (parser.NextInList());
        }
        parser.End();
        return new(mailbox, condStore, qresync, annotate);
    }

    static QResyncParameter QResync(ref ImapParser parser)
    {
        parser.OpenList();
        var uidValidity = parser.NonZero("a UIDVALIDITY");
        parser.Space();
        var modSeq = parser.Number64("a mod-sequence");
        if (modSeq == 0)
        {
            ImapParser.Fail("Expected a mod-sequence other than 0");
        }
        SequenceSet? knownUids = null, numbers = null, uids = null;
        var more = parser.NextInList();
        if (more && parser.Next != '(')
        {
            knownUids = SequenceSet.Parse(ref parser, allowStar: false);
            more = parser.NextInList();
        }
        if (more)
        {
            parser.OpenList();
            numbers = SequenceSet.Parse(ref parser, allowStar: false);
            parser.Space();
            uids = SequenceSet.Parse(ref parser, allowStar: false);
            parser.Skip((byte)')', ")");
            parser.Skip((byte)')', ")");
        }
        return new(uidValidity, modSeq, knownUids, numbers, uids);
    }
}
