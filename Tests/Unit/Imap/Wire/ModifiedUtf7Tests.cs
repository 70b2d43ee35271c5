using System.Text;
using CsCheck;
using MailCluster.Imap.Wire;
using Xunit;

namespace MailCluster.Tests.Unit.Imap.Wire;

public class ModifiedUtf7Tests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("Sent", "Sent")]
    [InlineData("A&-B", "A&B")]
    [InlineData("~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e")]
    [InlineData("&2D3eAA-", "\ud83d\ude00")]
    [InlineData("&AAk-", "\t")]
    public void NamesTravelBothWays(string encoded, string name)
    {
        Assert.True(ModifiedUtf7.TryDecode(Encoding.ASCII.GetBytes(encoded), out var decoded));
        Assert.Equal(name, decoded);
        Assert.Equal(encoded, ModifiedUtf7.Encode(name));
    }

    [Theory]
    [InlineData("a&b")] // never closed
    [InlineData("&AGE-")] // shifts the letter a
    [InlineData("&ACY-")] // shifts &
    [InlineData("&U,BTFw-&ZeVnLIqe-")] // two shifts where one would do
    [InlineData("&APx-")] // padding bits set
    [InlineData("&APwA-")] // six bits left over
    [InlineData("&A-")]
    [InlineData("&2D0-")] // half of a pair
    [InlineData("&3gDYPQ-")] // pair in the wrong order
    [InlineData("&AP w-")]
    [InlineData("&AP/-")] // '/' is ',' here
    [InlineData("caf\u00e9")]
    [InlineData("a\tb")]
    public void WhatIsNotTheOneEncodingIsRefused(string encoded)
        => Assert.False(ModifiedUtf7.TryDecode(Encoding.Latin1.GetBytes(encoded), out _));

    [Fact]
    public void EveryNameComesBack() => Gen.String.Where(WellFormed).Sample(name =>
    {
        var encoded = ModifiedUtf7.Encode(name);
        return Ascii.IsValid(encoded) && ModifiedUtf7.TryDecode(Encoding.ASCII.GetBytes(encoded), out var decoded) && decoded == name;
    });

    [Fact]
    public void WhatDecodesIsItsOwnEncoding() => Gen.Char["&-+,/ABCwD0189 a~"].Array[0, 12].Sample(chars =>
    {
        var encoded = new string(chars);
        return !ModifiedUtf7.TryDecode(Encoding.ASCII.GetBytes(encoded), out var decoded) || ModifiedUtf7.Encode(decoded) == encoded;
    });

    static bool WellFormed(string name)
    {
        for (var i = 0; i < name.Length; i++)
        {
            if (char.IsSurrogate(name[i]) && !(i + 1 < name.Length && char.IsSurrogatePair(name[i], name[++i])))
            {
                return false;
            }
        }
        return true;
    }
}
