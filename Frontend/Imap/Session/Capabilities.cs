using MailCluster.Imap.Dialects;
using MailCluster.Net;

namespace MailCluster.Imap.Session;

/// <summary>What CAPABILITY says in each state (RFC 9051 §6.1.1): before a log-in only what works before it.</summary>
public static class Capabilities
{
    private const string Before = "IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE IDLE LANGUAGE";

    private const string After =
        "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT MOVE CHILDREN LIST-EXTENDED LIST-STATUS STATUS=SIZE "
        + "SPECIAL-USE CREATE-SPECIAL-USE CONDSTORE QRESYNC ESEARCH SEARCHRES BINARY MULTIAPPEND REPLACE CATENATE URL-PARTIAL OBJECTID SAVEDATE WITHIN SEARCH=FUZZY SEARCH=INTHREAD MULTISEARCH LANGUAGE I18NLEVEL=2 "
        + "SORT SORT=DISPLAY ESORT CONTEXT=SEARCH CONTEXT=SORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS PARTIAL PREVIEW INPROGRESS UTF8=ACCEPT UIDONLY UIDBATCHES NOTIFY "
        + "METADATA LIST-METADATA FILTERS QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE QUOTA=RES-MAILBOX QUOTA=RES-ANNOTATION-STORAGE APPENDLIMIT=";

    public static string Of(ImapSession session)
    {
        IConnection connection = session.Connection;
        string old = session.Options.Dialects ? OldCommands.Capability : "";
        if (session.State is Authenticated { User: var user })
        {
            string limit = session.Options.MessageLimit is { } most ? $" MESSAGELIMIT={most}" : "";
            string acl = user.Settings.Shares ? " ACL RIGHTS=texkn LIST-MYRIGHTS" : "";
            string annotate = session.Services.Annotations is null ? "" : " ANNOTATE-EXPERIMENT-1";
            return After + session.Options.AppendLimit + limit + annotate + (connection.IsCompressed ? "" : " COMPRESS=DEFLATE") + acl + (user.Settings.Manages ? " QUOTASET" : "") + (session.MayUnauthenticate ? " UNAUTHENTICATE" : "") + old;
        }
        IReadOnlyList<string> mechanisms = session.Services.Sasl.Mechanisms(session.LogsIn());
        return Before + old + (connection.CanStartTls ? " STARTTLS" : "") + (mechanisms.Count == 0 ? " LOGINDISABLED" : string.Concat(mechanisms.Select(static m => " AUTH=" + m)));
    }
}
