using System.Text;
using MailCluster.Imap.Wire;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Wire;

/// <summary>Every grammar, over bytes that no client should send: the answer is a value or BAD, never another exception.</summary>
public class RandomBytesTests
{
    const int Rounds = 2_000;

    static readonly string[] Seeds =
    [
        "1:*,3 (FLAGS BODY.PEEK[1.2.HEADER.FIELDS (From \"To\")]<0.10> BINARY.SIZE[1]) (CHANGEDSINCE 5 VANISHED)",
        "RETURN (MIN SAVE) CHARSET UTF-8 OR (SEEN NOT FROM \"a\\\"b\") HEADER X {3}\r\nabc BEFORE \"1-Feb-1994\" MODSEQ \"/flags/\\\\x\" all 7 $",
        "(SUBSCRIBED RECURSIVEMATCH) \"\" (INBOX \"a&APw-%\") RETURN (STATUS (MESSAGES UNSEEN) CHILDREN)",
        "inbox (QRESYNC (1 2 3:4 (5 6)) CONDSTORE)",
        "\"saved\" (\\Seen key) \" 7-Feb-1994 21:52:25 -0800\" ~{310+}\r\n",
        "1:2 (UNCHANGEDSINCE 9) -FLAGS.SILENT (\\Seen $x)",
        "x (USE (\\Sent)) {2+}\r\nab NIL \"\\\\\" ( ) ~{1}\r\n\0",
        "SET STATUS (selected (MessageNew (uid body[1]) MessageExpunge)) (subtree (a \"b\") (MailboxName)) (personal none)",
        "a1 UID FETCH (\"name\" \"v\" \"os\" NIL)",
    ];

    internal static readonly Func<byte[], WireCharset, object?>[] Grammars =
    [
        (b, c) => Grammar.Parse(b, (ref ImapParser p) => (object)SessionGrammar.Header(ref p), c),
        (b, c) => Grammar.Parse(b, (ref ImapParser p) => FetchGrammar.Parse(ref p, uid: true), c),
        (b, c) => Grammar.Parse(b, StoreGrammar.Parse, c),
        (b, c) => Grammar.Parse(b, SearchGrammar.Parse, c),
        (b, c) => Grammar.Parse(b, SortGrammar.ParseSort, c),
        (b, c) => Grammar.Parse(b, SortGrammar.ParseThread, c),
        (b, c) => Grammar.Parse(b, MultiSearchGrammar.Parse, c),
        (b, c) => Grammar.Parse(b, (ref ImapParser p) => CatenateGrammar.Parts(ref p, first: true).ToString(), c),
        (b, _) => (object?)MessageUrl.Parse(System.Text.Encoding.Latin1.GetString(b)) ?? "none",
        (b, c) => Grammar.Parse(b, SessionGrammar.ParseCompress, c),
        (b, c) => Grammar.Parse(b, SessionGrammar.ParseComparator, c),
        (b, c) => Grammar.Parse(b, ListGrammar.Parse, c),
        (b, c) => Grammar.Parse(b, ListGrammar.ParseLsub, c),
        (b, c) => Grammar.Parse(b, StatusGrammar.Parse, c),
        (b, c) => Grammar.Parse(b, SelectGrammar.Parse, c),
        (b, c) => Grammar.Parse(b, MailboxGrammar.ParseCreate, c),
        (b, c) => Grammar.Parse(b, MailboxGrammar.ParseRename, c),
        (b, c) => Grammar.Parse(b, MailboxGrammar.ParseCopy, c),
        (b, c) => Grammar.Parse(b, AppendGrammar.ParsePrefix, c),
        (b, c) => Grammar.Parse(b, AppendGrammar.ParseReplace, c),
        (b, c) => Grammar.Parse(b, NotifyGrammar.Parse, c),
        (b, c) => Grammar.Parse(b, UidBatchesGrammar.Parse, c),
        (b, c) => Grammar.Parse(b, SessionGrammar.ParseLogin, c),
        (b, c) => Grammar.Parse(b, SessionGrammar.ParseAuthenticate, c),
        (b, c) => Grammar.Parse(b, SessionGrammar.ParseEnable, c),
        (b, c) => Grammar.Parse(b, SessionGrammar.ParseId, c),
        (b, c) => Grammar.Parse(b, (ref ImapParser p) => p.DateTime().ToDateTimeOffset().ToString(), c),
        (b, _) => ImapParser.TagOf(b),
        (b, _) => AppendGrammar.Streams(b),
        (b, _) => ModifiedUtf7.TryDecode(b, out var name) ? ModifiedUtf7.Encode(name) : null,
        (b, _) => LiteralAnnouncement.TryParse(b, out var literal, out var start) ? (literal, start) : null,
    ];

    [Fact]
    public void NoiseIsBad()
    {
        var random = new Random(20_240_229);
        for (var i = 0; i < Rounds; i++)
        {
            var bytes = new byte[random.Next(60)];
            random.NextBytes(bytes);
            Try(bytes, i);
        }
    }

    [Fact]
    public void DamagedCommandsAreBad()
    {
        var random = new Random(9051);
        for (var i = 0; i < Rounds; i++)
        {
            var text = Seeds[random.Next(Seeds.Length)];
            var other = Seeds[random.Next(Seeds.Length)];
            var bytes = Encoding.Latin1.GetBytes(text[..random.Next(text.Length + 1)] + other[random.Next(other.Length)..]);
            for (var damage = random.Next(4); damage > 0 && bytes.Length > 0; damage--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            Try(bytes, i);
        }
    }

    static void Try(byte[] bytes, int round)
    {
        var charset = round % 2 == 0 ? WireCharset.Rev1 : WireCharset.Utf8;
        // Damage rarely hits a given grammar at its start, so each round tries all of them.
        foreach (var grammar in Grammars)
        {
            try
            {
                grammar(bytes, charset);
            }
            catch (ImapSyntaxException bad)
            {
                Assert.True(Ascii.IsValid(bad.Message) && bad.Message.Length < 100);
            }
        }
    }
}
