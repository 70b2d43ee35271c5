using System.Text;
using MailCluster.Imap.Search;
using MailCluster.Tests.Support;
using MailCluster.Tests.Unit.Imap.Session;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Searching;

/// <summary>SEARCH compares with i;unicode-casemap where nobody has chosen another comparator (RFC 5255 §4.4).</summary>
public sealed class CollationTests
{
    [Fact]
    public async Task SEARCH_finds_what_is_the_same_by_the_collation()
    {
        await using FakeMail mail = await FakeMail.StartAsync();
        await using ImapClient c = await mail.LogInAsync();
        // An accent composed, and decomposed; a ligature; letters of other scripts.
        await c.Append("s", "INBOX", Latin("Subject: caf\u00e9\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nΟΔΥΣΣΕΥΣ \ufb01n\r\n"));
        await c.Append("s", "INBOX", Latin("Subject: CAFE\u0301\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nοδυσσευς FIN ёлка\r\n"));
        await c.Append("s", "INBOX", Latin("Subject: cafe\r\n\r\nnone\r\n"));
        await c.Run("s SELECT INBOX");
        await Finds(c, "SUBJECT", "Caf\u00c9", "1 2");
        await Finds(c, "SUBJECT", "cafe\u0301", "1 2");
        // A letter is in the accented letter, as it is in what that is made of.
        await Finds(c, "SUBJECT", "cafe", "1 2 3");
        await Finds(c, "BODY", "Οδυσσευς", "1 2");
        await Finds(c, "BODY", "fin", "1 2");
        await Finds(c, "TEXT", "\u0415\u0308ЛКА", "2");
        await Finds(c, "TEXT", "ñ", "");
    }

    /// <summary>Wherever pieces end, also inside of a character, the same is found.</summary>
    [Fact]
    public void Pieces_end_anywhere()
    {
        const string Text = "a \U0001d400\U0001d401 caf\u00e9 \U00010428x\uac01";
        string[] values = ["ab caf", "E\u0301 \U00010400", "X\uac01", "\u1161\u11a8", "zz"];
        for (int size = 1; size <= Text.Length; size++)
        {
            var matcher = new TextMatcher(values, Collation.Unicode);
            for (int at = 0; at < Text.Length; at += size)
                matcher.Add(Text.AsSpan(at, Math.Min(size, Text.Length - at)));
            Assert.Equal([true, true, true, true, false], matcher.Found);
        }
    }

    /// <summary>What the matcher finds the signature never denies.</summary>
    [Theory]
    [InlineData("caf\u00e9 au lait", "E\u0301 au")]
    [InlineData("\ufb01\ufb01", "fifi")]
    [InlineData("\U0001d400\U0001d401\U0001d402", "abc")]
    [InlineData("\u00aa\u00aa\u00aa", "AAA")]
    [InlineData("\uac01\uac01", "\uac01")]
    public void Signatures_fold_as_the_matcher_does(string text, string value)
    {
        var matcher = new TextMatcher([value], Collation.Unicode);
        matcher.Add(text);
        Assert.True(matcher.Found[0]);
        var signature = new TextSignature();
        signature.Add(text);
        ushort[] has = signature.Positions();
        Assert.All(TextSignature.PositionsOf(value) ?? [], p => Assert.Contains((ushort)p, has));
    }

    private static string Latin(string text) => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(text));

    private static async Task Finds(ImapClient client, string key, string value, string numbers)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        await client.SendRaw($"s SEARCH {key} {{{bytes.Length}+}}\r\n{Encoding.Latin1.GetString(bytes)}\r\n");
        await client.Expect(("* SEARCH " + numbers).TrimEnd(), "s OK SEARCH completed");
    }
}
