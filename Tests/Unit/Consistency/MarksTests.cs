using System.Text;
using MailCluster.Consistency.History;
using MailCluster.Consistency.Workload;
using Xunit;

namespace MailCluster.Tests.Unit.Consistency;

/// <summary>Messages follow from their mark, and nothing else passes for them.</summary>
public sealed class MarksTests
{
    [Theory]
    [InlineData(300)]
    [InlineData(1000)]
    [InlineData(1001)]
    [InlineData(1037)]
    [InlineData(200_000)]
    public void A_message_has_the_size_of_its_mark_and_no_lone_line_ends(int size)
    {
        byte[] octets = Marks.OctetsOf(new Marks(1, 2).Next(size, FlagSet.Empty));
        Assert.Equal(size, octets.Length);
        string text = Encoding.Latin1.GetString(octets);
        Assert.DoesNotContain('\r', text.Replace("\r\n", ""));
        Assert.DoesNotContain('\n', text.Replace("\r\n", ""));
        Assert.True(Marks.AreRight(octets));
    }

    [Fact]
    public void Another_octet_is_noticed()
    {
        byte[] octets = Marks.OctetsOf(new Marks(1, 2).Next(500, FlagSet.Empty));
        Assert.False(Marks.AreRight([.. octets, (byte)'x']));
        octets[^3]++;
        Assert.False(Marks.AreRight(octets));
    }

    [Fact]
    public void A_delivered_message_has_lines_before_it()
    {
        var marks = new Marks(1, 2);
        byte[] added = "Return-Path: <a@b>\r\n"u8.ToArray();
        Assert.True(Marks.AreRight([.. added, .. Marks.OctetsOf(marks.Next(500, FlagSet.Empty, isDelivered: true))]));
        Assert.False(Marks.AreRight([.. added, .. Marks.OctetsOf(marks.Next(500, FlagSet.Empty))]));
    }
}
