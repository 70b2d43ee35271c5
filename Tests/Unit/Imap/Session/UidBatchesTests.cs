using MailCluster.Tests.Support;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Session;

/// <summary>UIDBATCHES (RFC 10022).</summary>
[Covers("UIDBATCHES")]
public sealed class UidBatchesTests
{
    [Fact]
    public async Task Ranges_from_the_newest_to_the_oldest()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Send("a UIDBATCHES 500");
        await c.Bad("a");
        await c.Send("a SELECT INBOX", "b UIDBATCHES 500", "c UIDBATCHES 500 1:2");
        await c.Ok("a");
        await c.Expect("* UIDBATCHES (TAG \"b\")", "b OK …", "* UIDBATCHES (TAG \"c\")", "c OK …");

        // A range has two ends, whatever is in it (§4).
        await c.Append("d", "INBOX", "\r\nx");
        await c.Send("d UIDBATCHES 500");
        await c.Expect("* UIDBATCHES (TAG \"d\") 1:1", "d OK …");
        // 1,300 messages; then some in the middle and the first are gone.
        await AppendAsync(c, 1299);
        await c.Run("d NOOP");
        await c.Send("e UIDBATCHES 500", "f UIDBATCHES 500 1:1", "g UIDBATCHES 500 2:3", "h UIDBATCHES 500 3:9", "i UIDBATCHES 500 4:4", "j UIDBATCHES 1300", "k UIDBATCHES 5000");
        await c.Expect(
            "* UIDBATCHES (TAG \"e\") 1300:801,800:301,300:1", "e OK …", "* UIDBATCHES (TAG \"f\") 1300:801", "f OK …", "* UIDBATCHES (TAG \"g\") 800:301,300:1", "g OK …",
            "* UIDBATCHES (TAG \"h\") 300:1", "h OK …", "* UIDBATCHES (TAG \"i\")", "i OK …", "* UIDBATCHES (TAG \"j\") 1300:1", "j OK …", "* UIDBATCHES (TAG \"k\") 1300:1", "k OK …");
        await c.Run("l UID STORE 1:10,700:899,1300 +FLAGS.SILENT (\\Deleted)");
        await c.Run("m EXPUNGE");
        await c.Send("n UIDBATCHES 500");
        await c.Expect("* UIDBATCHES (TAG \"n\") 1299:600,599:100,99:1", "n OK …");
        // No batch has more than was asked for, and together they have all.
        await c.Send("o UID SEARCH RETURN (COUNT) UID 600:1299", "p UID SEARCH RETURN (COUNT) UID 100:599", "q UID SEARCH RETURN (COUNT) UID 1:99");
        await c.Expect("* ESEARCH (TAG \"o\") UID COUNT 500", "o OK …", "* ESEARCH (TAG \"p\") UID COUNT 500", "p OK …", "* ESEARCH (TAG \"q\") UID COUNT 89", "q OK …");
    }

    [Fact]
    public async Task Refusals()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        await c.Run("a SELECT INBOX");
        foreach (string command in new[] { "UIDBATCHES", "UIDBATCHES x", "UIDBATCHES 0", "UIDBATCHES 500 1", "UIDBATCHES 500 6:", "UIDBATCHES 500 0:1", "UIDBATCHES 500 1:*", "UIDBATCHES 500 1:2 x" })
        {
            await c.Send("b " + command);
            await c.Bad("b");
        }
        await c.Send("c UIDBATCHES 499", "d UIDBATCHES 500 6:5", "e UIDBATCHES 500 1:100000", "f UIDBATCHES 4294967295 4294967295:4294967295");
        await c.No("c", "[TOOFEW] …");
        await c.Bad("d", "[CLIENTBUG] …");
        await c.No("e", "[TOOMANY] …");
        await c.No("f", "[TOOMANY] …");
    }

    /// <summary>Numbers are not used any more, and the saved result stays what it was.</summary>
    [Fact]
    public async Task With_UIDONLY_and_SEARCHRES()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        ImapClient[] c = await mail.SelectedAsync(2);
        await AppendAsync(c[1], 600);
        await c[2].Run("a ENABLE UIDONLY");
        await c[2].Run("b UID SEARCH RETURN (SAVE) UID 5");
        await c[2].Send("c UIDBATCHES 500", "d UID SEARCH $");
        await c[2].Expect("* UIDBATCHES (TAG \"c\") 600:101,100:1", "c OK …", "* SEARCH 5", "d OK …");
        // What another session has added since is in it: it reads the mailbox as it is.
        await AppendAsync(c[1], 1);
        await c[2].Send("e UIDBATCHES 500");
        await c[2].Expect("* 601 EXISTS", "* UIDBATCHES (TAG \"e\") 601:102,101:1", "e OK …");
    }

    private static async Task AppendAsync(ImapClient client, int messages)
    {
        for (int done = 0; done < messages; done += 100)
            await client.SendRaw("s APPEND INBOX" + string.Concat(Enumerable.Repeat(" {3+}\r\n\r\nx", Math.Min(100, messages - done))) + "\r\n");
        for (int done = 0; done < messages; done += 100)
            await client.Ok("s");
    }
}
