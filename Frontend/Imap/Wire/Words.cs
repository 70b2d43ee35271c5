using System.Collections.Frozen;

namespace MailCluster.Imap.Wire;

/// <summary>The words of the protocol, so that reading one does not allocate.</summary>
static class Words
{
    const int LongestKnown = 32;

    static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Known = FrozenSet.Create(StringComparer.Ordinal, (
        "CAPABILITY NOOP LOGOUT STARTTLS AUTHENTICATE LOGIN ENABLE SELECT EXAMINE CREATE DELETE RENAME SUBSCRIBE UNSUBSCRIBE LIST LSUB NAMESPACE "
        + "STATUS APPEND IDLE CLOSE UNSELECT EXPUNGE SEARCH FETCH STORE COPY MOVE UID CHECK ID REPLACE COMPRESS GETQUOTA GETQUOTAROOT SORT THREAD "
        + "ALL FAST FULL FLAGS INTERNALDATE ENVELOPE BODY BODY.PEEK BODYSTRUCTURE BINARY BINARY.PEEK BINARY.SIZE RFC822 RFC822.SIZE RFC822.HEADER "
        + "RFC822.TEXT MODSEQ EMAILID THREADID SAVEDATE PREVIEW HEADER HEADER.FIELDS HEADER.FIELDS.NOT TEXT MIME CHANGEDSINCE VANISHED UNCHANGEDSINCE "
        + "FLAGS.SILENT ANSWERED BCC BEFORE CC DELETED DRAFT FLAGGED FROM KEYWORD LARGER NEW NOT OLD ON OR RECENT SEEN SENTBEFORE SENTON SENTSINCE "
        + "SINCE SMALLER SUBJECT TO UNANSWERED UNDELETED UNDRAFT UNFLAGGED UNKEYWORD UNSEEN OLDER YOUNGER SAVEDBEFORE SAVEDON SAVEDSINCE "
        + "SAVEDATESUPPORTED MIN MAX COUNT SAVE RETURN CHARSET UTF-8 US-ASCII MESSAGES UIDNEXT UIDVALIDITY SIZE HIGHESTMODSEQ APPENDLIMIT MAILBOXID "
        + "DELETED-STORAGE CONDSTORE QRESYNC SUBSCRIBED CHILDREN SPECIAL-USE REMOTE RECURSIVEMATCH PLAIN IMAP4REV2 UTF8=ACCEPT").Split(' '))
        .GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The ASCII bytes in capitals.</summary>
    public static string Upper(ReadOnlySpan<byte> word)
    {
        Span<char> upper = word.Length <= LongestKnown ? stackalloc char[LongestKnown] : new char[word.Length];
        for (var i = 0; i < word.Length; i++)
        {
            var c = (char)word[i];
            upper[i] = c is >= 'a' and <= 'z' ? (char)(c - 32) : c;
        }
        upper = upper[..word.Length];
        return Known.TryGetValue(upper, out var known) ? known : new string(upper);
    }
}
