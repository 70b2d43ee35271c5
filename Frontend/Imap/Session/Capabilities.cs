using MailCluster.Net;

namespace MailCluster.Imap.Session;

/// <summary>What CAPABILITY says in each state (RFC 9051 §6.1.1): before a log-in only what works before it.</summary>
public static class Capabilities
{
    private const string Before = "IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE IDLE";

    private const string After =
        "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT MOVE CHILDREN LIST-EXTENDED LIST-STATUS STATUS=SIZE "
        + "SPECIAL-USE CREATE-SPECIAL-USE CONDSTORE QRESYNC ESEARCH SEARCHRES BINARY MULTIAPPEND CATENATE URL-PARTIAL OBJECTID SAVEDATE WITHIN SEARCH=FUZZY MULTISEARCH I18NLEVEL=1 "
        + "SORT SORT=DISPLAY ESORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS PARTIAL PREVIEW INPROGRESS UTF8=ACCEPT UIDONLY "
        + "METADATA LIST-METADATA QUOTA QUOTA=RES-STORAGE QUOTA=RES-MESSAGE QUOTA=RES-MAILBOX QUOTA=RES-ANNOTATION-STORAGE APPENDLIMIT=";

    public static string Of(ImapSession session)
    {
        IConnection connection = session.Connection;
        if (session.State is Authenticated { User: var user })
            return After + session.Options.AppendLimit + (connection.IsCompressed ? "" : " COMPRESS=DEFLATE") + (user.Settings.Manages ? " QUOTASET" : "");
        IReadOnlyList<string> mechanisms = session.Services.Sasl.Mechanisms(session.LogsIn());
        return Before + (connection.CanStartTls ? " STARTTLS" : "") + (mechanisms.Count == 0 ? " LOGINDISABLED" : string.Concat(mechanisms.Select(static m => " AUTH=" + m)));
    }
}
