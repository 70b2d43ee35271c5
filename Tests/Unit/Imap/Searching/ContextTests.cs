using MailCluster.Contracts;
using MailCluster.Imap;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>CONTEXT=SEARCH and CONTEXT=SORT (RFC 5267): results that are followed, each story told by two sessions.</summary>
[Covers("CONTEXT=SEARCH", "CONTEXT=SORT")]
public sealed class ContextTests
{
    private const string Boss = "From: boss@b.test\r\nSubject: work\r\n\r\nx";
    private const string Other = "From: a@b.test\r\nSubject: play\r\n\r\nx";

    /// <summary>RFC 5267 §4.2, §4.3, §4.3.3, §4.3.4 and §4.3.5 with smaller numbers.</summary>
    [Fact]
    public async Task The_examples_of_the_RFC()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await StartAsync(mail, 4);
        await c[2].Run("s STORE 1 +FLAGS ($Junk \\Deleted)");
        await c[1].Send("A01 SEARCH RETURN (CONTEXT COUNT) UNDELETED UNKEYWORD $Junk", "B01 UID SEARCH RETURN (UPDATE COUNT) DELETED KEYWORD $Junk");
        await c[1].Expect("* FLAGS (…)", "* OK [PERMANENTFLAGS …", "* 1 FETCH (UID … FLAGS (…))", "* ESEARCH (TAG \"A01\") COUNT 3", "A01 OK …", "* ESEARCH (TAG \"B01\") UID COUNT 1", "B01 OK …");
        await c[1].Send("B01 SORT RETURN (UPDATE) (DATE) UTF-8 FLAGGED");
        await c[1].Expect("B01 BAD …");
        await c[2].Run("s STORE 2:3 +FLAGS ($Junk \\Deleted)");
        await c[1].Send("n NOOP");
        await c[1].Expect("* 2 FETCH (UID … FLAGS (…))", "* 3 FETCH (UID … FLAGS (…))", "* ESEARCH (TAG \"B01\") UID ADDTO (0 2:3)", "n OK …");
        await c[2].Run("s STORE 2 -FLAGS ($Junk)");
        await c[2].Run("s UID EXPUNGE 3");
        // What a FETCH may not tell as EXPUNGE is told as REMOVEFROM (appendix A.3).
        await c[1].Send("f FETCH 4 UID", "n NOOP");
        await c[1].Expect(
            "* ESEARCH (TAG \"B01\") UID REMOVEFROM (0 3)", "* 2 FETCH (UID … FLAGS (…))", "* ESEARCH (TAG \"B01\") UID REMOVEFROM (0 2)", "* 4 FETCH (UID 4)", "f OK …", "* 3 EXPUNGE", "n OK …");
        await c[1].Send("B04 CANCELUPDATE \"B01\"");
        await c[1].Expect("B04 OK …");
        await c[2].Run("s UID STORE 2 +FLAGS ($Junk)");
        await c[1].Send("n NOOP", "B05 CANCELUPDATE \"B01\"", "B06 CANCELUPDATE", "B01 SEARCH RETURN (UPDATE) ALL");
        await c[1].Expect("* 2 FETCH (UID … FLAGS (…))", "n OK …", "B05 NO …", "B06 BAD …", "* ESEARCH (TAG \"B01\")", "B01 OK …");
    }

    /// <summary>RFC 5267 §4.3.1.</summary>
    [Fact]
    public async Task More_than_may_be_followed_are_searched_and_not_followed()
    {
        await using FakeMail mail = await FakeMail.StartAsync(new ImapOptions { SearchContexts = 1 });
        ImapClient[] c = await StartAsync(mail, 2);
        await c[1].Send("B01 UID SEARCH RETURN (UPDATE) FLAGGED", "B02 UID SORT RETURN (UPDATE COUNT) (DATE) UTF-8 ALL", "B03 CANCELUPDATE \"B01\" \"B09\"", "B02 UID SORT RETURN (UPDATE COUNT) (DATE) UTF-8 ALL");
        await c[1].Expect(
            "* ESEARCH (TAG \"B01\") UID", "B01 OK …", "* ESEARCH (TAG \"B02\") UID COUNT 2", "* NO [NOUPDATE \"B02\"] …", "B02 OK …", "B03 NO …", "* ESEARCH (TAG \"B02\") UID COUNT 2", "B02 OK …");
        await c[2].Append("s", "INBOX", Other);
        await c[1].Send("n NOOP");
        await c[1].Expect("* 3 EXISTS", "* ESEARCH (TAG \"B02\") UID ADDTO (3 3)", "n OK …");
    }

    /// <summary>Keys whose answer changes without a change of the mailbox.</summary>
    [Theory]
    [InlineData("YOUNGER 60")]
    [InlineData("NOT (OR OLDER 60 FLAGGED)")]
    [InlineData("NEW")]
    [InlineData("UID *")]
    [InlineData("UID 9:*")]
    public async Task What_changes_by_itself_is_not_followed(string keys)
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await StartAsync(mail, 2);
        await c[1].Send($"a UID SEARCH RETURN (UPDATE COUNT) {keys}");
        await c[1].Expect("* ESEARCH (TAG \"a\") UID COUNT …", "* NO [NOUPDATE \"a\"] …", "a OK …");
    }

    /// <summary>RFC 5267 §4.3.2 to §4.3.4: numbers that are right where they stand; §4.3: those in the keys are what they were.</summary>
    [Fact]
    public async Task Message_numbers()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await StartAsync(mail, 5);
        await c[1].Send("s SEARCH RETURN (SAVE) 4:5", "a SEARCH RETURN (UPDATE ALL) ALL", "b SEARCH RETURN (UPDATE ALL) 2:4 UNFLAGGED", "d SEARCH RETURN (SAVE UPDATE) $ UNFLAGGED", "e SEARCH RETURN (UPDATE COUNT) UID 4:*");
        await c[1].Expect("s OK …", "* ESEARCH (TAG \"a\") ALL 1:5", "a OK …", "* ESEARCH (TAG \"b\") ALL 2:4", "b OK …", "d OK …", "* ESEARCH (TAG \"e\") COUNT 2", "e OK …");
        await c[2].Run("s STORE 1,3 +FLAGS (\\Deleted)");
        await c[2].Run("s EXPUNGE");
        await c[2].Append("s", "INBOX", Other);
        await c[2].Run("s UID STORE 4 +FLAGS (\\Flagged)");
        await c[1].Send("n NOOP");
        await c[1].Expect(
            "* ESEARCH (TAG \"a\") REMOVEFROM (0 1,3)", "* ESEARCH (TAG \"b\") REMOVEFROM (0 3)", "* 1 EXPUNGE", "* 2 EXPUNGE", "* 4 EXISTS", "* 2 FETCH (UID … FLAGS (\\Flagged…))",
            "* ESEARCH (TAG \"a\") ADDTO (0 4)", "* ESEARCH (TAG \"b\") REMOVEFROM (0 2)", "* ESEARCH (TAG \"d\") REMOVEFROM (0 2)", "* ESEARCH (TAG \"e\") ADDTO (0 4)", "n OK …");
    }

    [Fact]
    public async Task Its_own_changes_are_told_too()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await StartAsync(mail, 3);
        await c[1].Send("a UID SEARCH RETURN (UPDATE) UNSEEN", "b STORE 2 +FLAGS.SILENT (\\Seen)", "d UID STORE 2 -FLAGS (\\Seen)", "e STORE 3 +FLAGS.SILENT (\\Deleted)", "f EXPUNGE", "g CLOSE");
        await c[1].Expect(
            "* ESEARCH (TAG \"a\") UID", "a OK …", "* ESEARCH (TAG \"a\") UID REMOVEFROM (0 2)", "b OK …", "* 2 FETCH (UID 2 FLAGS (…))", "* ESEARCH (TAG \"a\") UID ADDTO (0 2)", "d OK …", "e OK …",
            "* ESEARCH (TAG \"a\") UID REMOVEFROM (0 3)", "* 3 EXPUNGE", "f OK …", "g OK …");
        await c[1].Run("s SELECT INBOX");
        // It has ended with the mailbox.
        await c[1].Send("h CANCELUPDATE \"a\"");
        await c[1].Expect("h NO …");
    }

    [Fact]
    public async Task SORT_tells_places()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await StartAsync(mail, 0);
        foreach (string subject in (string[])["d", "b", "f", "h", "b"])
            await c[2].Append("s", "INBOX", $"Subject: {subject}\r\n\r\nx");
        await c[1].Run("s NOOP");
        await c[1].Send("a UID SORT RETURN (UPDATE ALL) (SUBJECT) UTF-8 UNDELETED", "b SORT RETURN (UPDATE PARTIAL 1:2) (REVERSE SUBJECT) UTF-8 UNDELETED");
        await c[1].Expect("* ESEARCH (TAG \"a\") UID ALL 2,5,1,3:4", "a OK …", "* ESEARCH (TAG \"b\") PARTIAL (1:2 4,3)", "b OK …");
        foreach (string subject in (string[])["c", "a", "c", "i"])
            await c[2].Append("s", "INBOX", $"Subject: {subject}\r\n\r\nx");
        await c[1].Send("n NOOP");
        await c[1].Expect("* 9 EXISTS", "* ESEARCH (TAG \"a\") UID ADDTO (1 7 4 6,8 9 9)", "* ESEARCH (TAG \"b\") ADDTO (1 9 5 6,8 9 7)", "n OK …");
        await c[2].Run("s UID STORE 5,1,9,7 +FLAGS (\\Deleted)");
        await c[1].Send("n NOOP");
        for (int i = 0; i < 4; i++)
            await c[1].Expect("* … FETCH (UID … FLAGS (\\Deleted…))");
        await c[1].Expect("* ESEARCH (TAG \"a\") UID REMOVEFROM (1 7 2 5 4 1 6 9)", "* ESEARCH (TAG \"b\") REMOVEFROM (1 9 3 1 6 5,7)", "n OK …");
        await c[2].Run("s UID EXPUNGE 1");
        await c[2].Run("s UID STORE 5 -FLAGS (\\Deleted)");
        await c[1].Send("n NOOP");
        await c[1].Expect("* 1 EXPUNGE", "* 4 FETCH (UID … FLAGS (…))", "* ESEARCH (TAG \"a\") UID ADDTO (2 5)", "* ESEARCH (TAG \"b\") ADDTO (6 4)", "n OK …");
    }

    [Fact]
    public async Task IDLE_tells_them()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await StartAsync(mail, 2);
        await c[1].Run("a UID SEARCH RETURN (UPDATE) FROM boss");
        await c[1].Send("b IDLE");
        await c[1].Expect("+ idling");
        await c[2].Append("s", "INBOX", Boss);
        await c[1].Expect("* 3 EXISTS", "* ESEARCH (TAG \"a\") UID ADDTO (0 3)");
        await c[2].Run("s STORE 3 +FLAGS (\\Deleted)");
        await c[1].Expect("* 3 FETCH (UID … FLAGS (\\Deleted…))");
        await c[2].Run("s EXPUNGE");
        await c[1].Expect("* ESEARCH (TAG \"a\") UID REMOVEFROM (0 3)", "* 3 EXPUNGE");
    }

    /// <summary>RFC 5465 §7: what is fetched of new messages that come in; what NOTIFY asks for as well is one answer (§5.2).</summary>
    [Fact]
    public async Task NOTIFY_tells_them_and_UPDATE_fetches()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await StartAsync(mail, 1);
        await c[1].Send("a00 SEARCH RETURN (COUNT UPDATE (UID BODY[HEADER.FIELDS (FROM)])) FROM \"boss\"");
        await c[1].Expect("* ESEARCH (TAG \"a00\") COUNT 0", "a00 OK …");
        await c[2].Append("s", "INBOX", Boss);
        await c[1].Send("n NOOP");
        await c[1].Expect("* 2 EXISTS", "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (FROM)] {…}\r\nFrom: boss@b.test\r\n\r\n)", "* ESEARCH (TAG \"a00\") ADDTO (0 2)", "n OK …");
        await c[1].Run("b NOTIFY SET (SELECTED (MessageNew (UID RFC822.SIZE) MessageExpunge FlagChange))");
        await c[2].Append("s", "INBOX", Other);
        await c[1].Expect("* 3 EXISTS", "* 3 FETCH (UID 3 RFC822.SIZE …)");
        await c[2].Append("s", "INBOX", Boss);
        await c[1].Expect(
            "* 4 EXISTS", "* 4 FETCH (UID 4 RFC822.SIZE … BODY[HEADER.FIELDS (FROM)] {…}\r\nFrom: boss@b.test\r\n\r\n)", "* ESEARCH (TAG \"a00\") ADDTO (0 4)");
        // What the session puts there itself is not fetched, and flags make no message new.
        await c[1].Send("d APPEND INBOX {" + Boss.Length + "+}", Boss);
        await c[1].Expect("* 5 EXISTS", "* ESEARCH (TAG \"a00\") ADDTO (0 5)", "d OK …");
        await c[2].Run("s UID STORE 2 +FLAGS (\\Deleted)");
        await c[1].Expect("* 2 FETCH (UID 2 FLAGS (…))");
        await c[2].Run("s EXPUNGE");
        await c[1].Expect("* ESEARCH (TAG \"a00\") REMOVEFROM (0 2)", "* 2 EXPUNGE");
        await c[1].Send("e UID SEARCH RETURN (UPDATE(MODSEQ)) FLAGGED", "f SEARCH RETURN (UPDATE ()) ALL");
        await c[1].Expect("* ESEARCH (TAG \"e\") UID", "* OK [HIGHESTMODSEQ …", "e OK …", "f BAD …");
    }

    /// <summary>A mailbox that NOTIFY has made a snapshot has no news, until the client asks.</summary>
    [Fact]
    public async Task In_a_snapshot_they_wait()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await StartAsync(mail, 3);
        await c[1].Run("a UID SEARCH RETURN (UPDATE) UNSEEN");
        await c[1].Run("b NOTIFY NONE");
        await c[2].Run("s STORE 1 +FLAGS (\\Seen)");
        await c[2].Run("s STORE 2 +FLAGS (\\Deleted)");
        await c[2].Run("s EXPUNGE");
        await c[2].Append("s", "INBOX", Other);
        await c[1].Send("d FETCH 3 UID", "n NOOP");
        await c[1].Expect(
            "* 3 FETCH (UID 3)", "d OK …", "* ESEARCH (TAG \"a\") UID REMOVEFROM (0 2)", "* 2 EXPUNGE", "* 3 EXISTS", "* ESEARCH (TAG \"a\") UID REMOVEFROM (0 1) ADDTO (0 4)", "n OK …");
    }

    /// <summary>RFC 9586 §3: UIDs are told on, message numbers no more.</summary>
    [Fact]
    public async Task Under_UIDONLY()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await StartAsync(mail, 2);
        await c[1].Run("a SEARCH RETURN (UPDATE) FLAGGED");
        await c[1].Run("b UID SEARCH RETURN (UPDATE) FLAGGED");
        await c[1].Send("d ENABLE UIDONLY", "e SEARCH RETURN (UPDATE) ALL");
        await c[1].Expect("* ENABLED UIDONLY", "* NO [NOUPDATE \"a\"] …", "d OK …", "e BAD [UIDREQUIRED] …");
        await c[2].Run("s STORE 2 +FLAGS (\\Flagged)");
        await c[1].Send("n NOOP");
        await c[1].Expect("* 2 UIDFETCH (FLAGS (\\Flagged…))", "* ESEARCH (TAG \"b\") UID ADDTO (0 2)", "n OK …");
    }

    /// <summary>Only what has changed is looked at, and only where the change can matter.</summary>
    [Fact]
    public async Task An_update_reads_what_has_changed()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await StartAsync(mail, 100);
        await c[1].Run("a UID SEARCH RETURN (UPDATE) SUBJECT work");
        await c[1].Run("b UID SORT RETURN (UPDATE) (SUBJECT) UTF-8 UNSEEN");
        (int emails, int bodies, int reads) = mail.Bodies.Asked;
        await c[2].Run("s STORE 1:50 +FLAGS (\\Seen)");
        await c[1].Run("n NOOP");
        Assert.Equal((emails, bodies, reads), mail.Bodies.Asked);
        int asked = 0;
        mail.Bodies.EmailsAsked = count => asked += count;
        await c[2].Append("s", "INBOX", Boss);
        IReadOnlyList<string> told = await c[1].Run("n NOOP");
        Assert.Contains("* ESEARCH (TAG \"a\") UID ADDTO (0 101)", told);
        Assert.Contains("* ESEARCH (TAG \"b\") UID ADDTO (51 101)", told);
        // The new one, for the search and for its key, and the few that it is compared with.
        Assert.InRange(asked, 1, 40);
    }

    /// <summary>What can't be read any more is no reason for the session to end: that search is not followed any more.</summary>
    [Fact]
    public async Task Where_the_store_is_away_it_ends()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await StartAsync(mail, 1);
        await c[1].Run("a UID SEARCH RETURN (UPDATE) SUBJECT work");
        await c[1].Run("b UID SEARCH RETURN (UPDATE) ALL");
        await c[2].Append("s", "INBOX", Boss);
        mail.Bodies.BeforeEmails = static () => throw new StoreUnavailableException("away");
        await c[1].Send("n NOOP", "m NOOP");
        await c[1].Expect("* 2 EXISTS", "* NO [NOUPDATE \"a\"] …", "* ESEARCH (TAG \"b\") UID ADDTO (0 2)", "n OK …", "m OK …");
    }

    [Fact]
    public async Task Of_several_mailboxes_nothing_is_followed()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await StartAsync(mail, 1);
        await c[1].Send("a ESEARCH IN (personal) RETURN (UPDATE COUNT) ALL");
        await c[1].Expect("* ESEARCH (TAG \"a\" MAILBOX \"INBOX\" UIDVALIDITY 1000) UID COUNT 1", "* NO [NOUPDATE \"a\"] …", "a OK …");
    }

    /// <summary>Whatever happens: who follows the answers has what the same command would find.</summary>
    [Fact]
    public async Task A_client_that_follows_has_what_a_search_finds()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await StartAsync(mail, 30);
        string[] commands =
        [
            "UID SEARCH RETURN (UPDATE ALL) OR FLAGGED SUBJECT work", "SEARCH RETURN (UPDATE ALL) UNDELETED UNSEEN", "UID SORT RETURN (UPDATE ALL) (SUBJECT REVERSE ARRIVAL) UTF-8 UNDELETED",
            "SORT RETURN (UPDATE ALL) (REVERSE SIZE) UTF-8 OR SEEN UNFLAGGED",
        ];
        var clients = new FollowingClient[commands.Length];
        for (int i = 0; i < commands.Length; i++)
            clients[i] = FollowingClient.Of(await c[1].Run($"t{i} {commands[i]}"), $"t{i}", sorted: commands[i].Contains("SORT", StringComparison.Ordinal), uid: commands[i].StartsWith("UID", StringComparison.Ordinal));
        var random = new Random(5267);
        uint next = 31;
        for (int step = 0; step < 150; step++)
        {
            for (int changes = random.Next(1, 4); changes > 0; changes--)
            {
                string sign = random.Next(2) == 0 ? "+" : "-", flag = new[] { "\\Seen", "\\Flagged", "\\Deleted" }[random.Next(3)];
                uint from = (uint)random.Next(1, (int)next);
                switch (random.Next(5))
                {
                    case 0:
                        await c[2].Append("s", "INBOX", $"Subject: {"abwork"[random.Next(6)]}work{random.Next(4)}\r\n\r\n{new string('x', random.Next(50))}");
                        next++;
                        break;
                    case 1 when random.Next(3) == 0:
                        await c[2].Run("s EXPUNGE");
                        break;
                    default:
                        await c[2].Run($"s UID STORE {from}:{from + (uint)random.Next(4)} {sign}FLAGS.SILENT ({flag})");
                        break;
                }
            }
            // Where EXPUNGE must wait as well as where it is told.
            IReadOnlyList<string> told = await c[1].Run(random.Next(2) == 0 ? "n NOOP" : "n FETCH 1 UID");
            foreach (FollowingClient client in clients)
                client.Follow(told);
            if (step % 10 != 9)
                continue;
            told = await c[1].Run("n NOOP");
            for (int i = 0; i < commands.Length; i++)
            {
                clients[i].Follow(told);
                FollowingClient now = FollowingClient.Of(await c[1].Run($"q {commands[i].Replace("UPDATE ", "", StringComparison.Ordinal)}"), "q", clients[i].Sorted, clients[i].Uid);
                Assert.Equal(now.Result, clients[i].Result);
            }
        }
    }

    /// <summary>Sessions 1, which looks, and 2, which changes, in an INBOX of some messages.</summary>
    private static async Task<ImapClient[]> StartAsync(FakeMail mail, int messages)
    {
        await mail.FillAsync([.. Enumerable.Repeat(Other, messages)]);
        ImapClient[] c = await mail.SelectedAsync(2);
        // Without RECENT, which goes to either of them.
        await c[1].Run("s ENABLE IMAP4rev2");
        return c;
    }

    /// <summary>A result as a client keeps it (RFC 5267 §4.3.3, §4.3.4).</summary>
    private sealed class FollowingClient(string tag, bool sorted, bool uid)
    {
        public List<uint> Result { get; } = [];

        public bool Sorted => sorted;

        public bool Uid => uid;

        public static FollowingClient Of(IReadOnlyList<string> answer, string tag, bool sorted, bool uid)
        {
            var client = new FollowingClient(tag, sorted, uid);
            string line = answer.Single(l => l.StartsWith($"* ESEARCH (TAG \"{tag}\")", StringComparison.Ordinal));
            if (line.IndexOf(" ALL ", StringComparison.Ordinal) is var at and > 0)
                client.Result.AddRange(Numbers(line[(at + 5)..]));
            return client;
        }

        public void Follow(IReadOnlyList<string> told)
        {
            foreach (string line in told)
            {
                if (line.EndsWith(" EXPUNGE", StringComparison.Ordinal) && !uid)
                {
                    uint gone = uint.Parse(line.Split(' ')[1]);
                    Assert.DoesNotContain(gone, Result);
                    for (int i = 0; i < Result.Count; i++)
                        Result[i] -= Result[i] > gone ? 1u : 0u;
                }
                if (!line.StartsWith($"* ESEARCH (TAG \"{tag}\")", StringComparison.Ordinal))
                    continue;
                foreach (string part in line.Split(["ADDTO (", "REMOVEFROM ("], StringSplitOptions.None).Skip(1))
                {
                    bool add = line[line.IndexOf("(" + part, StringComparison.Ordinal) - 2] == 'O';
                    string[] words = part[..part.IndexOf(')')].Split(' ');
                    for (int i = 0; i < words.Length; i += 2)
                        Apply(add, int.Parse(words[i]), Numbers(words[i + 1]));
                }
            }
        }

        private void Apply(bool add, int place, List<uint> numbers)
        {
            Assert.Equal(sorted, place > 0);
            if (add && place > 0)
                Result.InsertRange(place - 1, numbers);
            else if (add)
            {
                Assert.Empty(Result.Intersect(numbers));
                Result.AddRange(numbers);
                Result.Sort();
            }
            else if (place > 0)
            {
                Assert.Equal(numbers, Result.GetRange(place - 1, numbers.Count));
                Result.RemoveRange(place - 1, numbers.Count);
            }
            else
            {
                foreach (uint number in numbers)
                    Assert.True(Result.Remove(number));
            }
        }

        private static List<uint> Numbers(string set) =>
        [
            .. set.Split(',').SelectMany(static range =>
            {
                uint[] ends = [.. range.Split(':').Select(static n => uint.Parse(n))];
                return Enumerable.Range((int)ends[0], (int)(ends[^1] - ends[0]) + 1).Select(static n => (uint)n);
            }),
        ];
    }
}
