using MailCluster.Server.Commands.Admin;
using MailCluster.Server.Configuration;
using Xunit;

namespace MailCluster.Tests.Cluster;

public sealed class QuotaOptionsTests
{
    [Theory]
    [InlineData("0", 0L)]
    [InlineData("123", 123L)]
    [InlineData("2k", 2048L)]
    [InlineData("10G", 10L << 30)]
    [InlineData("none", null)]
    public void Quotas_have_units(string text, long? value) => Assert.Equal(value, QuotaOptions.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("-1")]
    [InlineData("1.5G")]
    [InlineData("9999999999999T")]
    public void What_is_no_quota_is_refused(string text) => Assert.Throws<OptionsException>(() => QuotaOptions.Parse(text));
}
