"""A mailbox as Python's imaplib uses it. Arguments: host, port, user, password. Prints "done"; any surprise is a traceback."""
import email
import imaplib
import re
import ssl
import sys
import time

host, port, user, password = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]

MESSAGE = (
    b"From: Fred Foobar <foobar@example.org>\r\nTo: a@example.org, b@example.org\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= number %d\r\n"
    b"Date: Mon, 7 Feb 1994 21:52:25 -0800\r\nMessage-ID: <%d@example.org>\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGuten Tag %d\r\n"
    b"--b\r\nContent-Type: application/octet-stream; name=x.bin\r\nContent-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--b--\r\n"
)


def message(n):
    return MESSAGE % (n, n, n)


def ok(answer):
    assert answer[0] == "OK", answer
    return answer[1]


def same(got, expected):
    assert got == expected, (got, expected)


def literals(data):
    return [item[1] for item in data if isinstance(item, tuple)]


c = imaplib.IMAP4(host, port)
same("STARTTLS" in c.capabilities, True)
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
ok(c.starttls(context))
same("STARTTLS" in c.capabilities, False)
try:
    c.select()
    raise AssertionError("SELECT before the log-in")
except imaplib.IMAP4.error:
    pass
ok(c.login(user, password))
# imaplib keeps what it heard before; it is asked for again.
c.capabilities = tuple(ok(c.capability())[0].decode().upper().split())
for name in ("IMAP4REV1", "IMAP4REV2", "UIDPLUS", "MOVE", "IDLE", "CONDSTORE", "NAMESPACE", "LITERAL+"):
    same(name in c.capabilities, True)
same(ok(c.namespace()), [b'(("" "/")) (("Other Users/" "/")) (("Shared Folders/" "/"))'])

# Folders.
ok(c.create("Work"))
ok(c.create('"Work/Two words"'))
ok(c.create("Work/&AOQ-"))
same(c.create("Work")[0], "NO")
names = ok(c.list())
for name in (b"INBOX", b"Sent", b"Drafts", b"Trash", b"Junk", b"Archive", b"Work", b"Work/&AOQ-"):
    same(any(re.search(rb'"/" "?' + re.escape(name) + rb'"?$', line) for line in names), True)
same(len(ok(c.list('""', "Work/%"))), 2)
same(ok(c.list('""', '""'))[0][-6:], b'"/" ""')
ok(c.subscribe("Work"))
ok(c.unsubscribe("Junk"))
same(any(line.endswith(b'"Work"') or line.endswith(b" Work") for line in ok(c.lsub())), True)

# APPEND: date, flags, keywords.
for n in range(1, 6):
    ok(c.append("Work", r"(\Seen $Forwarded)" if n == 2 else None, imaplib.Time2Internaldate(1_000_000_000 + n), message(n)))
same(c.append("Nowhere", None, None, message(1))[0], "NO")
same(c.untagged_responses.get("TRYCREATE") is not None, True)
c.untagged_responses.clear()
same(ok(c.status("Work", "(MESSAGES RECENT UIDNEXT UNSEEN)")), [b'"Work" (MESSAGES 5 RECENT 5 UIDNEXT 6 UNSEEN 4)'])
same(c.select("Nowhere")[0], "NO")
same(ok(c.select("Work")), [b"5"])
same(c.response("RECENT")[1], [b"5"])
same(c.response("UIDNEXT")[1], [b"6"])
same(c.response("READ-WRITE")[1] is not None, True)

# FETCH of every kind; nothing peeked at becomes \Seen.
same(literals(ok(c.fetch("1:*", "(BODY.PEEK[])"))), [message(n) for n in range(1, 6)])
head, text = message(1).split(b"\r\n\r\n", 1)
for item, expected in (
    ("BODY.PEEK[HEADER]", head + b"\r\n\r\n"), ("RFC822.HEADER", head + b"\r\n\r\n"), ("BODY.PEEK[TEXT]", text),
    ("BODY.PEEK[1]", b"Guten Tag 1"), ("BODY.PEEK[1.MIME]", b"Content-Type: text/plain; charset=utf-8\r\n\r\n"), ("BODY.PEEK[2]", b"SGVsbG8="),
    ("BODY.PEEK[HEADER.FIELDS (SUBJECT NONE)]", b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= number 1\r\n\r\n"),
    ("BODY.PEEK[HEADER.FIELDS.NOT (FROM TO SUBJECT DATE MESSAGE-ID CONTENT-TYPE)]", b"MIME-Version: 1.0\r\n\r\n"),
    ("BODY.PEEK[]<6.11>", b"Fred Foobar"), ("BODY.PEEK[]<100000.5>", b""),
):
    data = ok(c.fetch("1", f"({item})"))
    got = literals(data) or [re.search(rb'"(.*)"\)$', data[0]).group(1)]
    same((item, got), (item, [expected]))
same(literals(ok(c.fetch("1", "(BINARY.PEEK[2])"))) or [b"Hello"], [b"Hello"])
same(ok(c.fetch("1", "(BINARY.SIZE[2])")), [b"1 (BINARY.SIZE[2] 5)"])
same(imaplib.ParseFlags(ok(c.fetch("1", "(FLAGS)"))[0]), (rb"\Recent",))
same(time.mktime(imaplib.Internaldate2tuple(ok(c.fetch("1", "(INTERNALDATE)"))[0])), 1_000_000_001.0)
same(ok(c.fetch("1:2", "(UID RFC822.SIZE)")), [b"%d (UID %d RFC822.SIZE %d)" % (n, n, len(message(n))) for n in (1, 2)])
same(ok(c.fetch("1", "(ENVELOPE)")), [
    b'1 (ENVELOPE ("Mon, 7 Feb 1994 21:52:25 -0800" "=?utf-8?q?Gr=C3=BC=C3=9Fe?= number 1" (("Fred Foobar" NIL "foobar" "example.org")) '
    b'(("Fred Foobar" NIL "foobar" "example.org")) (("Fred Foobar" NIL "foobar" "example.org")) '
    b'((NIL NIL "a" "example.org")(NIL NIL "b" "example.org")) NIL NIL NIL "<1@example.org>"))'])
same([line.upper() for line in ok(c.fetch("1", "(BODY)"))], [
    b'1 (BODY (("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "7BIT" 11 1)'
    b'("APPLICATION" "OCTET-STREAM" ("NAME" "X.BIN") NIL NIL "BASE64" 8) "MIXED"))'])
same([line.upper() for line in ok(c.fetch("1", "(BODYSTRUCTURE)"))], [
    b'1 (BODYSTRUCTURE (("TEXT" "PLAIN" ("CHARSET" "UTF-8") NIL NIL "7BIT" 11 1 NIL NIL NIL NIL)'
    b'("APPLICATION" "OCTET-STREAM" ("NAME" "X.BIN") NIL NIL "BASE64" 8 NIL NIL NIL NIL) "MIXED" ("BOUNDARY" "B") NIL NIL NIL))'])
for macro in ("ALL", "FAST", "FULL"):
    same(len(ok(c.fetch("1", macro))), 1)
parsed = email.message_from_bytes(literals(ok(c.fetch("3", "(RFC822)")))[0])
same(parsed.get_payload()[1].get_payload(decode=True), b"Hello")
same(set(imaplib.ParseFlags(ok(c.fetch("3", "(FLAGS)"))[0])), {rb"\Recent", rb"\Seen"})
try:
    c.fetch("9", "(FLAGS)")
    raise AssertionError("a message number that nobody has")
except imaplib.IMAP4.error:
    pass

# STORE.
same(set(imaplib.ParseFlags(ok(c.store("1", "+FLAGS", r"(\Flagged $Work)"))[0])), {rb"\Recent", rb"\Flagged", b"$Work"})
same(ok(c.store("1", "-FLAGS.SILENT", "$Work")), [None])
same(set(imaplib.ParseFlags(ok(c.store("2", "FLAGS", r"\Answered"))[0])), {rb"\Recent", rb"\Answered"})
same(len(ok(c.uid("STORE", "4:5", "+FLAGS", r"(\Draft)"))), 2)
# From here on flags come with their MODSEQ.
same(b"MODSEQ (" in ok(c.fetch("1", "(MODSEQ)"))[0], True)

# SEARCH.
for keys, expected in (
    (("ALL",), b"1 2 3 4 5"), (("FLAGGED",), b"1"), (("NOT", "FLAGGED", "ANSWERED"), b"2"), (("OR", "FLAGGED", "ANSWERED"), b"1 2"), (("SEEN",), b"3"),
    (("SUBJECT", '"number 4"'), b"4"), (("FROM", "foobar"), b"1 2 3 4 5"), (("TEXT", '"Guten Tag 5"'), b"5"), (("BODY", '"tag 2"'), b"2"),
    (("HEADER", "Message-ID", "3@"), b"3"), (("SINCE", "1-Jan-2001"), b"1 2 3 4 5"), (("SENTBEFORE", "1-Jan-1994"), b""), (("LARGER", "100000"), b""),
    (("UID", "2:3"), b"2 3"), (("2:*", "(DRAFT)"), b"4 5"),
):
    same((keys, ok(c.search(None, *keys))), (keys, [expected]))
c.literal = "Grüße".encode()
same(ok(c.search("UTF-8", "SUBJECT")), [b"1 2 3 4 5"])
same(c.search("KLINGON", "ALL")[0], "NO")
same(ok(c.uid("SEARCH", "ANSWERED")), [b"2"])

# COPY, MOVE, EXPUNGE.
same(c.copy("1", "Nowhere")[0], "NO")
ok(c.copy("1:2", "Archive"))
same(c.response("COPYUID")[1][0].split(b" ")[1:], [b"1:2", b"1:2"])
ok(c.uid("MOVE", "5", "Trash"))
same(c.response("EXPUNGE")[1], [b"5"])
ok(c.store("2,4", "+FLAGS.SILENT", r"(\Deleted)"))
ok(c.uid("EXPUNGE", "4"))
same(c.response("EXPUNGE")[1], [b"4"])
same(ok(c.expunge()), [b"2"])
same(ok(c.check()) is not None, True)
same(ok(c.uid("SEARCH", "ALL")), [b"1 3"])
same(ok(c.status("Archive", "(MESSAGES UIDNEXT)")), [b'"Archive" (MESSAGES 2 UIDNEXT 3)'])

# IDLE, which this imaplib does not know: by hand.
tag = c._new_tag()
c.send(tag + b" IDLE\r\n")
same(c.readline()[:1], b"+")
other = imaplib.IMAP4(host, port)
ok(other.login(user, password))
ok(other.append("Work", None, None, message(6)))
same(c.readline(), b"* 3 EXISTS\r\n")
c.send(b"DONE\r\n")
line = c.readline()
while line.startswith(b"* "):
    line = c.readline()
same(line.startswith(tag + b" OK"), True)
same(ok(c.noop()) is not None, True)

# Another session's change of flags is heard; EXAMINE changes nothing.
ok(other.select("Work"))
ok(other.store("1", "+FLAGS", r"\Answered"))
ok(c.noop())
same(any(rb"\Answered" in line for line in c.response("FETCH")[1]), True)
ok(other.select("Archive", readonly=True))
try:
    other.store("1", "+FLAGS", r"\Deleted")
    same(other.store("1", "+FLAGS", r"\Deleted")[0], "NO")
except imaplib.IMAP4.readonly:
    pass
same(ok(other.unselect()) is not None, True)
same(other.logout()[0], "BYE")

ok(c.close())
ok(c.rename("Work", "Play"))
same(len(ok(c.list('""', "Play*"))), 3)
ok(c.delete('"Play/Two words"'))
same(c.enable("CONDSTORE")[0], "OK")
same(c.logout()[0], "BYE")
print("done")
