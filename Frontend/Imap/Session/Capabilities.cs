using MailCluster.Net;

namespace MailCluster.Imap.Session;

/// <summary>What CAPABILITY says in each state (RFC 9051 §6.1.1): before a log-in only what works before it.</summary>
public static class Capabilities
{
    private const string Before = "IMAP4rev1 IMAP4rev2 LITERAL- SASL-IR ID ENABLE IDLE";

    private const string After =
        "IMAP4rev1 IMAP4rev2 LITERAL+ SASL-IR ID ENABLE IDLE NAMESPACE UIDPLUS UNSELECT MOVE CHILDREN LIST-EXTENDED LIST-STATUS STATUS=SIZE "
        + "SPECIAL-USE CREATE-SPECIAL-USE CONDSTORE QRESYNC ESEARCH SEARCHRES BINARY MULTIAPPEND CATENATE URL-PARTIAL OBJECTID SAVEDATE WITHIN SEARCH=FUZZY MULTISEARCH I18NLEVEL=1 "
        + "SORT SORT=DISPLAY ESORT THREAD=ORDEREDSUBJECT THREAD=REFERENCES THREAD=REFS PARTIAL PREVIEW INPROGRESS UTF8=ACCEPT UIDONLY APPENDLIMIT=";

    public static string Of(SessionState state, IConnection connection, ImapOptions options)
    {
        if (state is Authenticated)
            return After + options.AppendLimit + (connection.IsCompressed ? "" : " COMPRESS=DEFLATE");
        string startTls = connection.CanStartTls ? " STARTTLS" : "";
        return Before + startTls + (MayLogIn(connection, options) ? " AUTH=PLAIN" : " LOGINDISABLED");
    }

    /// <summary>A password may travel here (RFC 8314 §4.1): under TLS, from this machine, or where the option allows it.</summary>
    public static bool MayLogIn(IConnection connection, ImapOptions options) =>
        connection.IsSecure || connection.IsLoopback || options.AllowPlaintextLogin;
}
