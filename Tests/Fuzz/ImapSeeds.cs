using System.Text;

namespace MailCluster.Tests.Fuzz;

/// <summary>Commands as clients send them, and the words that they are made of.</summary>
internal static class ImapSeeds
{
    private static readonly string[] Texts =
    [
        "a1 CAPABILITY\r\na2 NOOP\r\na3 ID (\"name\" \"x\" \"version\" NIL)\r\na4 LOGIN alice \"secret\"\r\n",
        "a1 LOGIN {5}\r\nalice {6+}\r\nsecret\r\na2 SELECT INBOX (CONDSTORE)\r\na3 UID FETCH 1:* (FLAGS UID) (CHANGEDSINCE 1)\r\n",
        "a1 ENABLE IMAP4rev2 QRESYNC UIDONLY UTF8=ACCEPT\r\na2 SELECT INBOX (QRESYNC (1000 1 1:10 (1:2 1:2)))\r\n",
        "a1 FETCH 1:*,3 (FLAGS INTERNALDATE ENVELOPE BODY BODYSTRUCTURE BODY.PEEK[1.2.HEADER.FIELDS (From \"To\")]<0.10> BINARY.SIZE[1] BINARY.PEEK[1]<2.3> RFC822.TEXT PREVIEW (LAZY) EMAILID MODSEQ)\r\n",
        "a1 UID FETCH 2:4 (UID BODY[TEXT]<5.7>) (PARTIAL -1:-2 CHANGEDSINCE 5 VANISHED)\r\na2 FETCH 1 ALL\r\n",
        "a1 UID SEARCH RETURN (MIN MAX COUNT SAVE PARTIAL 1:2) CHARSET UTF-8 OR (SEEN NOT FROM \"a\\\"b\") HEADER X {3}\r\nabc BEFORE \"1-Feb-1994\" MODSEQ \"/flags/\\\\x\" all 7 UID 1:3 $\r\n",
        "a1 SEARCH FUZZY SUBJECT \"one two\" LARGER 1 SMALLER 99 YOUNGER 5 OLDER 6 KEYWORD $x UNKEYWORD y SAVEDSINCE 1-Jan-2020 UIDAFTER 1 UIDBEFORE 9 1:2 TEXT x BODY y\r\n",
        "a1 SORT RETURN (PARTIAL 1:2) (REVERSE SUBJECT DISPLAYFROM ARRIVAL) UTF-8 ALL\r\na2 UID THREAD REFERENCES UTF-8 1:3\r\na3 THREAD ORDEREDSUBJECT US-ASCII ALL\r\na4 THREAD REFS UTF-8 ALL\r\n",
        "a1 ESEARCH IN (personal subtree (\"a\" b) mailboxes INBOX selected) RETURN (COUNT ALL) UNSEEN\r\n",
        "a1 STORE 1:2 (UNCHANGEDSINCE 9) -FLAGS.SILENT (\\Seen $x)\r\na2 UID STORE 1 +FLAGS \\Deleted\r\na3 UID EXPUNGE 1:3\r\na4 EXPUNGE\r\na5 CLOSE\r\n",
        "a1 STORE 1 ANNOTATION (/comment (value.priv \"x\" value.shared NIL) /1.2/flags/seen (value.priv {1+}\r\n1))\r\na2 FETCH 1 (ANNOTATION ((/* \"/vendor/%\") (value size.priv)))\r\na3 SEARCH ANNOTATION /% value.shared \"x\"\r\na4 SORT (REVERSE ANNOTATION /altsubject value.priv) UTF-8 ALL\r\n",
        "a1 APPEND INBOX ANNOTATION (/comment (value.priv ~{3+}\r\na\0b)) {4+}\r\n\r\nab\r\na2 SELECT INBOX (ANNOTATE)\r\n",
        "a1 LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (INBOX \"a&APw-%\") RETURN (STATUS (MESSAGES UNSEEN) CHILDREN)\r\na2 LSUB \"\" *\r\na3 STATUS INBOX (MESSAGES UIDNEXT SIZE MAILBOXID)\r\na4 NAMESPACE\r\n",
        "a1 CREATE \"x/&ZeVnLIqe-\" (USE (\\Sent \\Nothing))\r\na2 RENAME x y\r\na3 SUBSCRIBE y\r\na4 UNSUBSCRIBE y\r\na5 DELETE y\r\n",
        "a1 APPEND INBOX (\\Seen key) \" 7-Feb-1994 21:52:25 -0800\" {23+}\r\nSubject: x\r\n\r\n\u00e4 body\r\n {4+}\r\n\r\nab\r\n",
        "a1 APPEND INBOX CATENATE (URL \"/INBOX;UID=1/;SECTION=HEADER\" TEXT {5+}\r\nhello URL \";UID=2/;PARTIAL=1.2\")\r\na2 APPEND {5+}\r\nINBOX ~{4+}\r\na\0bc\r\n",
        "a1 REPLACE 1 INBOX (\\Draft) {6+}\r\n\r\nabcd\r\na2 UID REPLACE 2 INBOX ~{6+}\r\n\r\nabcd\r\na3 COPY 1 INBOX\r\na4 UID MOVE 1:2 INBOX\r\n",
        "a1 NOTIFY SET STATUS (SELECTED (MessageNew (UID BODY.PEEK[HEADER.FIELDS (From)]) MessageExpunge FlagChange)) (SUBTREE (a b) (MailboxName SubscriptionChange))\r\na2 IDLE\r\nDONE\r\na3 NOTIFY NONE\r\n",
        "a1 LANGUAGE de \"*-CH\" i-default\r\na2 LANGUAGE\r\na3 COMPARATOR \"i;*\"\r\na4 SETACL INBOX -bob lrs\r\n",
        "a1 UIDBATCHES 500 1:2\r\na2 COMPRESS DEFLATE\r\na3 AUTHENTICATE PLAIN AGFsaWNlAHNlY3JldA==\r\na4 UNSELECT\r\na5 LOGOUT\r\n",
        "a1 FIND MAILBOXES *\r\na2 FIND ALL.MAILBOXES %\r\na3 PARTIAL 1 RFC822.PEEK 1 5\r\na4 FETCH 1 (RFC822.HEADER.LINES (To) BODY[0])\r\na5 SUBSCRIBE MAILBOX x\r\na6 BBOARD x\r\n",
    ];

    public static IReadOnlyList<byte[]> Commands { get; } = [.. Texts.Select(Encoding.Latin1.GetBytes)];

    public static IReadOnlyList<string> Words { get; } =
    [
        "\r\n", "\r", "\n", "\0", " ", "  ", "(", ")", "((", "))", "\"", "\\", "\\\"", "{0}\r\n", "{1}\r\n", "{5+}\r\n", "~{3+}\r\n", "{99999999}\r\n", "{4294967296+}\r\n", "{-1}\r\n", "{5-}\r\n", "*", "1:*", "*:1", "$", "%", "[", "]", "<0.1>", "<",
        "NIL", "INBOX", "&", "&-", "&APw-", "\u00e9", "\u00ff\u00fe", "UID ", "a1 ", "OR ", "NOT ", "ALL", "HEADER ", "BODY[", "BODY.PEEK[", "HEADER.FIELDS (", "RETURN (", "CHARSET UTF-8 ", "(QRESYNC (", "DONE\r\n", "FETCH ", "APPEND ",
        "CATENATE (", "URL \"/INBOX;UID=1\"", "TEXT {3+}\r\nabc", "1-Jan-2020", "\"31-Dec-9999 23:59:60 +9999\"", "EXPUNGE\r\n", "x IDLE\r\n",
    ];
}
