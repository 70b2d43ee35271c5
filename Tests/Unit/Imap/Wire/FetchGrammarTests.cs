using System.Buffers;
using System.Text;
using MailCluster.Contracts;
using MailCluster.Imap.Wire;
using Xunit;
using static MailCluster.Tests.Unit.Imap.Wire.Grammar;

namespace MailCluster.Tests.Unit.Imap.Wire;

public class FetchGrammarTests
{
    static FetchItem[] Items(string text) => [.. Fetch(text).Attributes.Select(attribute => attribute.Item)];

    static string Label(FetchAttribute attribute)
    {
        var output = new ArrayBufferWriter<byte>();
        new ReplyWriter(output).FetchLabel(attribute);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }

    [Fact]
    public void MacrosStandForTheirItems()
    {
        Assert.Equal([FetchItem.Flags, FetchItem.InternalDate, FetchItem.Rfc822Size], Items("1 fast"));
        Assert.Equal([FetchItem.Flags, FetchItem.InternalDate, FetchItem.Rfc822Size, FetchItem.Envelope], Items("1 ALL"));
        Assert.Equal([FetchItem.Flags, FetchItem.InternalDate, FetchItem.Rfc822Size, FetchItem.Envelope, FetchItem.Body], Items("1 FULL "));
    }

    [Fact]
    public void EveryPlainItemIsKnown()
        => Assert.Equal(
            [
                FetchItem.Flags, FetchItem.InternalDate, FetchItem.Rfc822Size, FetchItem.Envelope, FetchItem.Body, FetchItem.BodyStructure,
                FetchItem.Uid, FetchItem.ModSeq, FetchItem.EmailId, FetchItem.ThreadId, FetchItem.SaveDate, FetchItem.Rfc822,
                FetchItem.Rfc822Header, FetchItem.Rfc822Text,
            ],
            Items("1:* (FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE UID MODSEQ EMAILID THREADID SAVEDATE RFC822 RFC822.HEADER RFC822.TEXT FLAGS)"));

    [Theory]
    [InlineData("BODY[]", "BODY[]", true)]
    [InlineData("body.peek[]<0.100>", "BODY[]<0>", false)]
    [InlineData("BODY[HEADER]", "BODY[HEADER]", true)]
    [InlineData("BODY[1.2.MIME]<5.7>", "BODY[1.2.MIME]<5>", true)]
    [InlineData("BODY.PEEK[4.2.2.TEXT]", "BODY[4.2.2.TEXT]", false)]
    [InlineData("BODY.PEEK[HEADER.FIELDS (Date \"From\" {2}\r\nTo)]", "BODY[HEADER.FIELDS (Date From To)]", false)]
    [InlineData("BODY[2.HEADER.FIELDS.NOT (Received)]", "BODY[2.HEADER.FIELDS.NOT (Received)]", true)]
    [InlineData("BINARY[1.2]<0.9>", "BINARY[1.2]<0>", true)]
    [InlineData("BINARY.PEEK[]", "BINARY[]", false)]
    [InlineData("BINARY.SIZE[3]", "BINARY.SIZE[3]", false)]
    [InlineData("RFC822", "RFC822", true)]
    [InlineData("RFC822.HEADER", "RFC822.HEADER", false)]
    [InlineData("RFC822.TEXT", "RFC822.TEXT", true)]
    [InlineData("BODY", "BODY", false)]
    public void AnItemIsAnsweredUnderItsName(string item, string label, bool setsSeen)
    {
        var attribute = Assert.Single(Fetch("1 " + item).Attributes);
        Assert.Equal(label, Label(attribute));
        Assert.Equal(setsSeen, attribute.SetsSeen);
    }

    [Fact]
    public void PartialsHave63Bits()
        => Assert.Equal(new Partial(long.MaxValue, 1), Assert.Single(Fetch("1 BODY[]<9223372036854775807.1>").Attributes).Partial);

    [Theory]
    [InlineData("1")]
    [InlineData("1 ")]
    [InlineData("1 ()")]
    [InlineData("1 BOGUS")]
    [InlineData("1 (ALL FLAGS)")]
    [InlineData("1 FLAGS UID")]
    [InlineData("1 (FLAGS UID")]
    [InlineData("1 BODY[")]
    [InlineData("1 BODY[0]")]
    [InlineData("1 BODY[1.]")]
    [InlineData("1 BODY[MIME]")]
    [InlineData("1 BODY[1.BOGUS]")]
    [InlineData("1 BODY[HEADER.FIELDS]")]
    [InlineData("1 BODY[HEADER.FIELDS ()]")]
    [InlineData("1 BODY[HEADER.FIELDS (\"a b\")]")]
    [InlineData("1 BODY[]<0.0>")]
    [InlineData("1 BODY[]<0>")]
    [InlineData("1 BODY[]<9223372036854775808.1>")]
    [InlineData("1 BODY.PEEK")]
    [InlineData("1 BINARY")]
    [InlineData("1 BINARY[TEXT]")]
    [InlineData("1 BINARY[1.TEXT]")]
    [InlineData("1 FLAGS (BOGUS)")]
    [InlineData("1 FLAGS (CHANGEDSINCE)")]
    [InlineData("1 FLAGS (CHANGEDSINCE 9223372036854775808)")]
    [InlineData("1 FLAGS (CHANGEDSINCE 1 VANISHED)")]
    [InlineData("\u00ff FLAGS")]
    public void WhatIsNoFetchIsRefused(string text) => Assert.NotEmpty(Bad(text, (ref ImapParser p) => FetchGrammar.Parse(ref p, uid: false)));

    [Fact]
    public void DeepPartsAreRefused()
        => Bad("1 BODY[" + string.Join('.', Enumerable.Repeat("1", 1000)) + "]", (ref ImapParser p) => FetchGrammar.Parse(ref p, uid: false));

    [Fact]
    public void ModifiersOfCondstoreAndQresync()
    {
        var fetch = Fetch("1:* (FLAGS) (CHANGEDSINCE 12345 VANISHED)", uid: true);
        Assert.Equal(12345, fetch.ChangedSince);
        Assert.True(fetch.Vanished);
        Bad("1 FLAGS (VANISHED)", (ref ImapParser p) => FetchGrammar.Parse(ref p, uid: true));
    }

    [Theory]
    [InlineData("1:2 +FLAGS (\\Deleted)", null, StoreMode.Add, false)]
    [InlineData("1:2 -flags.silent \\Deleted ", null, StoreMode.Remove, true)]
    [InlineData("1:2 (UNCHANGEDSINCE 0) FLAGS.SILENT (\\Deleted)", 0L, StoreMode.Replace, true)]
    public void StoreNamesFlags(string text, long? unchangedSince, StoreMode mode, bool silent)
    {
        var store = Parse(text, StoreGrammar.Parse);
        Assert.Equal("1:2", store.Set.ToString());
        Assert.Equal((unchangedSince, mode, silent, SystemFlags.Deleted), (store.UnchangedSince, store.Mode, store.Silent, store.Flags.System));
    }

    [Fact]
    public void StoreTakesFlagsWithoutParentheses()
        => Assert.Equal(["$Junk"], Parse("1 FLAGS \\Seen \\Answered $Junk", StoreGrammar.Parse).Flags.Keywords);

    [Theory]
    [InlineData("1 FLAGS")]
    [InlineData("1 FLAGS ")]
    [InlineData("1 *FLAGS (\\Seen)")]
    [InlineData("1 FLAGS (\\*)")]
    [InlineData("1 +FLAGS (\\Seen) x")]
    [InlineData("1 (CHANGEDSINCE 1) FLAGS (\\Seen)")]
    [InlineData("1 (UNCHANGEDSINCE -1) FLAGS (\\Seen)")]
    public void WhatIsNoStoreIsRefused(string text) => Bad(text, StoreGrammar.Parse);
}
