using MailCluster.Contracts;
using MailCluster.Tests.Unit.Net;
using Xunit;

namespace MailCluster.Tests.Unit.Mta;

/// <summary>Postfix' SMTP access policy delegation (SMTPD_POLICY_README).</summary>
public sealed class PolicyTests
{
    [Theory]
    [InlineData("ann@demo.test", "DUNNO")]
    [InlineData("ann+folder@demo.test", "DUNNO")]
    [InlineData("team@demo.test", "DUNNO")]
    [InlineData("nobody@demo.test", "550 5.1.1 No such user here")]
    [InlineData("somebody@elsewhere.test", "DUNNO")]
    [InlineData("", "DUNNO")]
    [InlineData("ann", "DUNNO")]
    [InlineData("@demo.test", "550 5.1.1 No such user here")]
    public async Task Who_exists(string recipient, string action)
    {
        await using var stage = new MtaStage();
        using Peer postfix = await stage.PolicyAsync();
        await AskAsync(postfix, recipient, action);
    }

    [Fact]
    public async Task Accounts_that_take_no_mail_or_are_full_and_one_of_an_alias()
    {
        await using var stage = new MtaStage();
        using Peer postfix = await stage.PolicyAsync();
        stage.Ann.Current = stage.Ann.Current with { Delivery = DeliveryState.Refused };
        await AskAsync(postfix, "ann@demo.test", "550 5.2.1 The mailbox takes no mail");
        // The alias has one that takes it.
        await AskAsync(postfix, "team@demo.test", "DUNNO");
        stage.Ann.Current = stage.Ann.Current with { Delivery = DeliveryState.Deferred };
        await AskAsync(postfix, "ann@demo.test", "450 4.2.1 The mailbox takes no mail now, try again later");
        stage.Ann.Current = stage.Ann.Current with { Delivery = DeliveryState.On };

        QuotaRoot Root(long bytes, long messages, long? maxBytes, long? maxMessages) => new("x", new QuotaUsage(bytes, messages), new QuotaLimits(maxBytes, maxMessages));
        QuotaRoot free = Root(0, 0, null, null);
        const string full = "552 5.2.2 The mailbox is full";
        foreach ((AccountQuota quota, long size, string action) in new (AccountQuota, long, string)[]
        {
            (new(Root(100, 1, 100, null), null), 0, full),
            (new(Root(99, 1, 100, null), null), 0, "DUNNO"),
            (new(Root(50, 1, 100, null), null), 50, "DUNNO"),
            (new(Root(50, 1, 100, null), null), 51, full),
            (new(Root(50, 10, null, 10), null), 0, full),
            (new(Root(50, 9, null, 10), null), 0, "DUNNO"),
            (new(free, Root(1000, 5, 1000, null)), 0, full),
            (new(free, Root(999, 5, 1000, 6)), 1, "DUNNO"),
        })
        {
            stage.Ann.CurrentQuota = quota;
            await AskAsync(postfix, "ann@demo.test", action, $"size={size}\n");
        }
        stage.Ann.CurrentQuota = new(Root(100, 1, 100, null), null);
        await AskAsync(postfix, "team@demo.test", "552 5.2.2 The mailbox is full");
    }

    [Fact]
    public async Task What_can_t_be_known_is_deferred_and_other_states_are_none_of_ours()
    {
        await using var stage = new MtaStage();
        using Peer postfix = await stage.PolicyAsync();
        stage.Directory.Outage = new TimeoutException();
        await AskAsync(postfix, "ann@demo.test", "DEFER_IF_PERMIT 4.3.0 The mail store can't be reached, try again later");
        await postfix.SendAsync("request=smtpd_access_policy\nprotocol_state=DATA\nrecipient=nobody@demo.test\n\nrequest=other\nprotocol_state=RCPT\nrecipient=nobody@demo.test\n\n");
        for (int i = 0; i < 2; i++)
        {
            Assert.Equal("action=DUNNO", await postfix.LineAsync());
            Assert.Equal("", await postfix.LineAsync());
        }
    }

    [Theory]
    [InlineData("no attribute\n")]
    [InlineData("request=x\n\xFF=y\n\n")]
    public async Task What_is_no_request_ends_the_connection(string text)
    {
        await using var stage = new MtaStage();
        using Peer postfix = await stage.PolicyAsync();
        await postfix.SendAsync(text);
        Assert.True(await postfix.IsClosedAsync());
    }

    [Fact]
    public async Task A_request_without_end_ends_the_connection()
    {
        await using var stage = new MtaStage();
        using Peer postfix = await stage.PolicyAsync();
        await postfix.SendAsync(string.Concat(Enumerable.Repeat("a=b\n", 1000)));
        Assert.True(await postfix.IsClosedAsync());
        using Peer other = await stage.PolicyAsync();
        await other.SendAsync(new string('a', 200_000));
        Assert.True(await other.IsClosedAsync());
    }

    private static async Task AskAsync(Peer postfix, string recipient, string action, string more = "")
    {
        await postfix.SendAsync($"request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nsender=s@x.test\nrecipient={recipient}\n{more}instance=1.2\n\n");
        Assert.Equal("action=" + action, await postfix.LineAsync());
        Assert.Equal("", await postfix.LineAsync());
    }
}
